"""What users are told: errors of their input, warnings, and what this distribution is called where it is installed."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

DISTRIBUTION = "actionformer-tal"
"""The name that pip knows. `actionformer` is another project's package, which imports under the same name."""

LOGGER = logging.getLogger("actionformer")
LOGGER.addHandler(logging.NullHandler())  # a library says nothing until its user configures logging

_HEARS: ContextVar[Callable[[str], None] | None] = ContextVar("who hears what users would be told of", default=None)
"""Of each thread its own."""

LONGEST_MESSAGE, LONGEST_REASON = 1500, 300
"""Characters, of a message and of what it tells of a library's error."""


class InputError(ValueError):
    """Something the user gave (a file, a setting, an array) cannot be used.

    The message is one line: it names the file, video or field, what was found, what was expected and what to do.
    The command line prints it and exits with 2. Of a message that holds a huge value the middle is left out.
    """

    def __init__(self, message: str) -> None:
        cut = len(message) > LONGEST_MESSAGE
        super().__init__(f"{message[: LONGEST_MESSAGE - 300]} ... {message[-295:]}" if cut else message)


def missing_extra(package: str, extra: str, purpose: str) -> InputError:
    """The error for an optional package that is not installed, with the line that installs it."""
    return InputError(f"{purpose} needs {package}: pip install '{DISTRIBUTION}[{extra}]'")


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first names of a message, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def warn(message: str, stacklevel: int = 1, category: type[Warning] = UserWarning) -> None:
    """Tells that a result may be wrong, cut or guessed: as a Python warning, and through the logger "actionformer".

    Args:
        message: one line; it says what to do.
        stacklevel: 1 names the line that calls this as the place of the warning, 2 the line that called that, ...
        category: of the Python warning.
    """
    if (hear := _HEARS.get()) is not None:
        hear(message)
        return
    LOGGER.warning(message, stacklevel=stacklevel + 1)
    warnings.warn(message, category, stacklevel=stacklevel + 1)


def reason_of(error: BaseException) -> str:
    """What an error of a library says, for the brackets of a message: on one line, cut, its kind where it is silent."""
    return f"{' '.join(str(error).split()):.{LONGEST_REASON}}" or type(error).__name__


def kind_and_reason(error: BaseException) -> str:
    """The same behind the error's kind, for errors that say little alone: `KeyError: 'b'`."""
    kind, reason = type(error).__name__, reason_of(error)
    return kind if reason == kind else f"{kind}: {reason}"


@contextmanager
def told_to(hear: Callable[[str], None]) -> Iterator[None]:
    """Within it somebody else gets what users would be told of, whatever other threads do meanwhile."""
    before = _HEARS.set(hear)
    try:
        yield
    finally:
        _HEARS.reset(before)


def noted(messages: list[str]) -> AbstractContextManager[None]:
    """Within it a list gets what users would be told of, for somebody else to tell."""
    return told_to(messages.append)


def untold() -> AbstractContextManager[None]:
    """Within it nothing is told, neither as a warning nor through the logger: for what somebody else will tell."""
    return told_to(lambda _: None)
