"""How the reading of one video went, and what its user should know."""

from __future__ import annotations

from actionformer.medium import ReadSummary
from actionformer.video.reader import VideoReader


def summary_of(video: VideoReader, frames: int, fps: float | None) -> ReadSummary:
    """The summary of a video that was read to its end.

    Args:
        video: the video.
        frames: how many were sampled.
        fps: frames a second that were asked for; None where the video's own rate was taken.
    """
    return ReadSummary(
        fps=fps or video.fps,
        native_fps=video.fps,
        frames=frames,
        start=video.start,
        duration=video.end,
        skipped_packets=video.skipped,
        warning=warning_of(video, fps),
    )


def warning_of(video: VideoReader, fps: float | None) -> str | None:
    """What the user of a video that was read to its end should know.

    Args:
        video: the video.
        fps: frames a second that were asked for; None where the video's own rate was taken.
    """
    doubt = f"{video.rate.doubt}: --fps samples at another rate" if video.rate.doubt and fps is None else None
    return "; ".join(filter(None, (doubt, _overlong(video), _untimed(video), _loss(video)))) or None


def _overlong(video: VideoReader) -> str | None:
    lasting, whole = 1 / video.fps, video.usual
    if whole == lasting:
        return None
    return f"says that a picture lasts {lasting:.3g} s and all of it {whole:.3g} s: its times cannot be relied on"


def _untimed(video: VideoReader) -> str | None:
    several = video.end > 1.5 / video.fps
    return (
        None
        if video.stated.timed or not several
        else (
            f"holds no times, so its pictures are assumed to come {video.fps:g} per second: "
            "if that is wrong, ffmpeg -framerate RATE -i IN -c copy OUT.mkv gives it times"
        )
    )


def _loss(video: VideoReader) -> str | None:
    if video.jumps:
        return f"jumps of its clock, as in joined recordings: {video.jumps}; times go on from the frame before"
    if video.cut_short:
        return f"is cut short: {video.end:.2f} s can be read and are kept, the file says {video.declared:.2f} s"
    return f"damaged packets skipped: {video.skipped}" if video.skipped else None
