"""OpenCV, which is an extra."""

from __future__ import annotations

from types import ModuleType

from actionformer.core.errors import missing_extra


def opencv(purpose: str) -> ModuleType:
    """The library.

    Args:
        purpose: what it is needed for, for the message.

    Raises:
        InputError: it is not installed; gives the line that installs it.
    """
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-contrib-python-headless", "features", purpose) from error
    return cv2
