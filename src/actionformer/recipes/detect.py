"""Detection in files: what is found in videos and feature files is written as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console

from actionformer.core.devices import Precision
from actionformer.core.progress import OnProgress
from actionformer.core.terminal import plain_console
from actionformer.data.collection import Paths
from actionformer.features import FeatureSpec
from actionformer.formats.index import FormatName
from actionformer.hub import model_folder
from actionformer.inference.video_scores import scores_for
from actionformer.recipes.job import Done, run_job, shard_of
from actionformer.recipes.output import Output, format_of
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.proposals import source_of
from actionformer.recipes.search import Search, VideoSettings, input_files, looked_at
from actionformer.recipes.wanted import Wanted
from actionformer.settings.config import Changes


def detect(
    run: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    format: FormatName | None = None,
    min_score: float | None = None,
    raw_scores: bool = False,
    classes: Sequence[str] | None = None,
    overlap: Literal["keep", "class", "none"] = "keep",
    overlay: str | Path | None = None,
    clips: str | Path | None = None,
    margin: float = 1.0,
    resume: bool = False,
    overwrite: bool = False,
    shard: str | None = None,
    features_out: str | Path | None = None,
    backbone: str | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    duration: float | None = None,
    other_timing: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    video_scores: str | Path | None = None,
    proposals: str | Path | None = None,
    other_sources: Paths | None = None,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
    engine: Literal["onnxruntime", "openvino", "compile"] | None = None,
    settings: Changes | None = None,
    on_progress: OnProgress | None = None,
    console: Console | None = None,
) -> Done | None:
    """Finds the actions in videos or feature files.

    Args:
        run: a model directory, or a model of huggingface.co: hf://USER/MODEL.
        inputs: videos or feature files, folders with their subfolders, or patterns in quotes such as
            'clips/**/*.mp4'.
        out: where to write; by default to the terminal. The ending tells the format. Subtitles of several videos: a
            folder.
        format: of the output: json (ActivityNet results), jsonl (a line per video, as it comes), csv, parquet (a row
            per video), table, srt or vtt (subtitles), or of an annotation tool: eaf (ELAN), boris, label-studio, cvat,
            via3, textgrid (Praat) or audacity.
        min_score: leave out detections with a lower score; by default in tables, subtitles, ELAN and overlay those
            below the threshold of their class, which `calibrate` measures, or 0.3 where it has not; else nothing.
        raw_scores: take no notice of the model's calibration: scores are the network's own.
        classes: only these classes.
        overlap: keep all that is found, let one action of a class go on at a time (class), or one action at all (none):
            of two the better one keeps its time, and the other what is left of it, if that is half or more.
        overlay: write the video with labels and a timeline drawn in; of several videos: a folder.
        clips: a folder for the actions that people are shown, each cut out of its video as a file, and a list of them.
        margin: seconds before and after an action that --clips cuts out with it.
        resume: go on where an earlier call with the same --out was stopped: what it has found is kept, what failed is
            tried again.
        overwrite: replace files that exist.
        shard: K/N: of the files only the K-th of N shares, from 1 on, for several machines or processes.
        features_out: a folder that keeps the features of videos; those it already has are taken from there.
        backbone: what turns videos into features; by default what the model was trained on, and nothing else fits.
        weights: files of the backbone, or their folder.
        fps: frames per second of the video; by default the sidecar's, then the model's. So are the next two.
        stride: frames between neighbouring features.
        num_frames: frames a feature covers.
        duration: length of the video in seconds; by default the sidecar's, then what the features cover.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        batch_size: clips that the backbone computes together.
        workers: processes that decode videos; 0 decodes in this process.
        video_scores: scores of whole videos, which give the proposals of a class-agnostic model their classes: JSON
            {"results": {video: [scores]}, "class": [names]}, or UntrimmedNet's .npy for THUMOS14. By default its own
            classifier does, where it has one.
        proposals: segments for a model that judges them: a file of detections, or a model directory on the same
            features; by default its own proposer finds them, where it has one.
        other_sources: of a model that joins several sources, a folder of features or recordings for each one but the
            first, with files that are called as the inputs; by default all sources are made of the inputs.
        max_action_seconds: the longest that an action may last; by default the run's setting.
        max_per_hour: most actions per hour; by default the run's setting, else suppression.max_detections is the cap.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic, also the backbone's.
        engine: another program that computes the network, with the same results: onnxruntime or openvino, on the CPU in
            float32, or compile (torch's compiler). Making it takes seconds to minutes. Sequences of more than 4,096
            features, which run in chunks, have the network itself.
        settings: of decoding, suppression, fusion and live, where they are not to be the run's.
        on_progress: is called with a `Progress` whenever clips or videos are done.
        console: where progress is shown; by default nowhere.

    Returns:
        What was done; None if an earlier call had already done all of it.

    Raises:
        InputError: no model directory, nothing to read, an output that cannot be written or is there, a single input
            that cannot be used, two inputs of one name, or a backbone that is not the one of the model's features.
    """
    run = model_folder(run)
    detector = prepared_detector(
        run,
        max_action_seconds=max_action_seconds,
        max_per_hour=max_per_hour,
        min_score=min_score,
        raw_scores=raw_scores,
        device=device,
        precision=precision,
        settings=settings,
        other_timing=other_timing,
        engine=engine,
    )
    medium = looked_at(detector, backbone)
    files = input_files(inputs, medium)
    output = Output(_path(out), format_of(_path(out), format), _path(overlay), _path(clips), margin)
    output.check(files, medium)
    search = Search(
        detector,
        shard_of(files, shard),
        timing=FeatureSpec(fps=fps, stride=stride, num_frames=num_frames, duration=duration),
        videos=VideoSettings(backbone, weights, _path(features_out), batch_size, workers),
        video_scores=scores_for(video_scores, detector.card.class_names, detector.config.data.prefix),
        proposals=source_of(proposals, device=device, other_timing=other_timing),
        other_sources=other_sources,
        on_progress=on_progress,
        console=console or plain_console(quiet=True),
    )
    wanted = Wanted(
        search.class_names,
        classes,
        min_score=min_score,
        for_people=output.for_people,
        drawn=output.films,
        calibration=None if raw_scores or video_scores is not None else detector.card.calibration,
        overlap=overlap,
    )
    if output.check_new(search.sources, resume=resume, overwrite=overwrite):
        return None
    return run_job(search, output, wanted, run=run, resume=resume, shard=shard, alone=len(files) == 1)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
