"""Hashes of files, by which one is known again whatever it is called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def hash_of(paths: Iterable[Path]) -> str:
    """SHA-256 of the content of files, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def sampled_hash(path: Path, samples: int, size: int) -> str:
    """SHA-256 of how large a file is and of samples of its content, in hexadecimal: quick, however large it is.

    Args:
        path: the file.
        samples: how many, at least 2: the first begins with the file, the last ends with it, others lie evenly between.
        size: of each, bytes. Of files up to `samples * size` bytes all is hashed.
    """
    length = path.stat().st_size
    digest = hashlib.sha256(str(length).encode())
    with path.open("rb", buffering=0) as file:
        for i in range(samples):
            file.seek(i * max(length - size, 0) // (samples - 1))
            digest.update(file.read(size))
    return digest.hexdigest()
