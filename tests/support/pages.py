"""The pages of the documentation: their blocks, the commands and options that they name, their headings and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {str(path.relative_to(ROOT)): path for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])}
"""Every page by its path in the project."""
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w.-]*")
_OTHER_PROGRAMS = ("python ", "npm ", "tsc ")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """The words of each command; a line that ends with a backslash goes on in the next, `#` begins a comment."""
        for line in self.text.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=False, punctuation_chars=True)
            lexer.whitespace_split = True
            yield from _split(list(lexer))


def _split(words: list[str]) -> Iterator[list[str]]:
    """The commands of a line, which `|` and `&&` stand between."""
    command: list[str] = []
    for word in [*words, "&&"]:
        if word not in {"|", "&&"}:
            command.append(word)
        elif command:
            yield command
            command = []


def expanded(words: list[str]) -> list[str]:
    """Words as a shell hands them over in the present folder: quotes are taken off, and other patterns are matched."""
    found: list[str] = []
    for word in words:
        if word[0] in "'\"":
            found.append(word[1:-1])
        else:
            found += sorted(glob(word, recursive=True)) or [word]
    return found


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = PAGES[page].read_text("utf-8")
    return [Block(page, text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in _FENCED.finditer(text)]


def prose(page: str) -> str:
    """A page without its blocks."""
    return _FENCED.sub("", PAGES[page].read_text("utf-8"))


def options(page: str) -> set[str]:
    """The options that the sentences of a page name, such as `--min-score`, but for those of other programs."""
    code = re.findall(r"`([^`]+)`", prose(page))
    return set(_OPTION.findall(" ".join(one for one in code if not one.startswith(_OTHER_PROGRAMS))))


def links(page: str) -> list[tuple[Path, str]]:
    """Files and anchors that a page leads to in the project, as they are written."""
    found = [link.partition("#") for link in _LINK.findall(prose(page)) if not re.match(r"\w+:", link)]
    here = PAGES[page]
    return [((here.parent / path).resolve() if path else here, anchor) for path, _, anchor in found]


def anchors(page: Path) -> set[str]:
    """What a link can name on a page: its headings in lower case, words joined by dashes, other signs left out."""
    headings = (
        re.sub(r"[^\w\- ]", "", heading.lower())
        for heading in _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    )
    return {heading.replace(" ", "-") for heading in headings}
