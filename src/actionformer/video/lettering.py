"""Names in the letters that OpenCV can draw: with version 5 those of most scripts, with version 4 those of ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import combining, normalize

import numpy as np

from actionformer.core.errors import listed, warn
from actionformer.core.terminal import visible

LISTED = 3  # names of a message
LOST = "?"


def drawn_names(cv2: Any, names: Mapping[int, str]) -> dict[int, str]:
    """Class -> its name as it is drawn: a letter that cannot be drawn without its accents, else as `?`.

    A name that loses most of its letters becomes `class N`. Other than the name is said once, as a warning.
    """
    plain = {label: normalize("NFC", visible(name)) for label, name in names.items()}
    letters = {letter: _drawn(cv2, letter) for letter in set("".join(plain.values()))}
    drawn = {label: _spelled(name, label, letters) for label, name in plain.items()}
    changed = [f"{name!r} as {drawn[label]!r}" for label, name in plain.items() if drawn[label] != name]
    if changed:
        warn(f"an overlay draws {listed(changed, LISTED)}: its font lacks those letters")
    return drawn


def _spelled(name: str, label: int, letters: Mapping[str, str]) -> str:
    text = "".join(letters[letter] for letter in name)
    lost = text.count(LOST) - name.count(LOST)
    return f"class {label}" if 2 * lost > len(name) else text


def _drawn(cv2: Any, letter: str) -> str:
    if _is_drawn(cv2, letter):
        return letter
    bare = "".join(one for one in normalize("NFKD", letter) if not combining(one))
    return bare if bare and all(_is_drawn(cv2, one) for one in bare) else LOST


def _is_drawn(cv2: Any, letter: str) -> bool:
    """Whether a letter is drawn, and not as a question mark, or as one for each of its bytes."""
    if letter.isascii():
        return True
    drawn = _picture(cv2, letter)
    return not any(np.array_equal(drawn, _picture(cv2, LOST * count)) for count in range(1, 5))


def _picture(cv2: Any, text: str) -> Any:
    image = np.zeros((40, 120), np.uint8)
    cv2.putText(image, text, (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 1)
    return image
