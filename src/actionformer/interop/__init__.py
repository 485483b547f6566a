"""Other people's files: the authors' checkpoints."""

from actionformer.interop.convert import convert

__all__ = ["convert"]
