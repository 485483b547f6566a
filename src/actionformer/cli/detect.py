"""`actionformer detect`."""

from __future__ import annotations

from actionformer.cli.report import report_files
from actionformer.cli.settings import IN_FILES
from actionformer.cli.verb import Recipe, verb
from actionformer.cli.where import chosen
from actionformer.core.terminal import complain, plain_console


@verb(
    takes="run *inputs",
    sections=IN_FILES,
    example="detect runs/mine video.mp4 --format srt --out video.srt --overlay seen.mp4",
)
def detect(on_cluster: Recipe, here: Recipe) -> int:
    """A camera, a stream or a file that is still written is for `actionformer watch`."""
    recipe = chosen(on_cluster, here)
    done = recipe(console=plain_console())
    if done is None:
        complain(f"{recipe.given['out']}: is already complete, nothing was left to do; --overwrite starts again")
        return 0
    if done.hint:
        complain(done.hint)
    code = report_files({}, done.failed, done.set_aside)
    if done.summary:
        complain(done.summary)
    return code
