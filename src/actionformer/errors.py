"""Raised for invalid user input, and what this distribution is called where it is installed."""

DISTRIBUTION = "actionformer-tal"
"""The name that pip knows. `actionformer` is another project's package, which imports under the same name."""


class InputError(ValueError):
    """Something the user gave (a file, a setting, an array) cannot be used.

    The message is one line: it names the file, video or field, what was found, what was expected and what to do.
    The command line prints it and exits with 2.
    """


def missing_extra(package: str, extra: str, purpose: str) -> InputError:
    """The error for an optional package that is not installed, with the line that installs it."""
    return InputError(f"{purpose} needs {package}: pip install '{DISTRIBUTION}[{extra}]'")
