from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.recipes import output
from actionformer.recipes.output import Output

NOTHING = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=np.int64), ("jump",))


def test_an_overlay_that_cannot_be_written_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    seen = Output(None, "table", overlay=tmp_path / "seen.gif")
    with pytest.raises(InputError, match=r"seen\.gif: cannot write a video with this ending: use one of \.mp4, "):
        seen.check({tmp_path / "a.mp4": "a"})
    Output(None, "table", overlay=tmp_path / "seen.MKV").check({tmp_path / "a.mp4": "a"})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (av.FFmpegError(-22, "Invalid argument", "a.part"), "FFmpegError: [Errno -22] Invalid argument: 'a.part'"),
        (UnicodeDecodeError("utf-8", b"\xdc", 0, 1, "invalid"), "UnicodeDecodeError: "),
        (RuntimeError("two\n  lines"), "RuntimeError: two lines"),
        (MemoryError(), "MemoryError)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_overlay_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def write(source: Path, found: Detections, target: Path, console: Console | None) -> None:
        if source.stem == "b":
            raise error
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.stem)

    monkeypatch.setattr(output, "write_overlay", write)
    sources = {name: tmp_path / f"{name}.mp4" for name in "abc"}
    drawn = Output(None, "table", overlay=tmp_path / "drawn")
    reasons = {name: drawn.film(name, source, NOTHING) for name, source in sources.items()}
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.mp4", "c.mp4"]
    reason = reasons.pop("b")
    assert set(reasons.values()) == {None}
    assert reason is not None
    assert reason.startswith(f"its overlay could not be written ({told}")
    assert len(reason.splitlines()) == 1
