"""`actionformer detect`."""

from __future__ import annotations

from actionformer.cli.report import report_files
from actionformer.cli.settings import IN_FILES
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import complain, plain_console


@verb(
    takes="run *inputs",
    sections=IN_FILES,
    example="detect runs/mine video.mp4 --format srt --out video.srt --overlay seen.mp4",
)
def detect(recipe: Recipe) -> int:
    """A camera, a stream or a file that is still written is for `actionformer watch`."""
    done = recipe(console=plain_console())
    if done is None:
        complain(f"{recipe.given['out']}: is already complete, nothing was left to do; --overwrite starts again")
        return 0
    if done.hint:
        complain(done.hint)
    code = report_files({}, done.failed)
    if done.summary:
        complain(done.summary)
    return code
