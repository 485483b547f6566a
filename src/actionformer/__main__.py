"""`python -m actionformer`: the command line, in the environment of this Python."""

from actionformer.cli import main

if __name__ == "__main__":
    main()
