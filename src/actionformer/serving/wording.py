"""Messages of the program in words for a client, who has no command line."""

from __future__ import annotations

import re

from actionformer.features import ALL_THE_SAME

ASKED = ("fps", "stride", "num-frames", "duration", "min-score", "max-action-seconds", "stop-after")
"""Options that a request has too, as parameters of its address."""
OPERATED = "--other-timing"
"""The option of which a message says by itself that it is the operator's."""


def for_client(words: str) -> str:
    """A message whose options are parameters of the address where there are such; of others it says whose they are."""
    words = words.replace(ALL_THE_SAME, f"have the server started with {OPERATED}")
    words = re.sub(rf"--({'|'.join(ASKED)})(?![\w-])", lambda found: f"?{found[1].replace('-', '_')}=", words)
    others = dict.fromkeys(one for one in re.findall(r"(?<![\w-])--[a-z][\w.-]*\w", words) if one != OPERATED)
    if not others:
        return words
    return f"{words} ({', '.join(others)}: not for requests, correct the file or ask the server's operator)"
