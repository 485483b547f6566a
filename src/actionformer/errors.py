"""The one error that is the user's to mend."""


class InputError(ValueError):
    """Something the user gave (a file, a setting, an array) cannot be used.

    The message is one line: it names the file, video or field, what was found, what was expected and what to do.
    The command line prints it and exits with 2.
    """


def missing_extra(package: str, extra: str, purpose: str) -> InputError:
    """The error for an optional package that is not installed, with the line that installs it."""
    return InputError(f"{purpose} needs {package}: pip install 'actionformer[{extra}]'")
