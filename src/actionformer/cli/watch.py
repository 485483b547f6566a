"""`actionformer watch`."""

from __future__ import annotations

from actionformer.cli.settings import AFTER_TRAINING
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console


@verb(
    takes="run source",
    sections=AFTER_TRAINING,
    example="watch runs/mine rtsp://camera/stream --min-score 0.3",
)
def watch(live_output: Recipe, watch: Recipe) -> int:
    """Every action is a line, written once it is final; Ctrl-C ends the source, and what is left is written."""
    output = live_output()
    code: int = output.follow(watch(console=plain_console()), console=plain_console())
    return code
