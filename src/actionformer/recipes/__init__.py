"""What the verbs do: each composes the rooms before it into one piece of work, and is imported from its own file."""
