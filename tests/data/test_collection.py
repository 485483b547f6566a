"""Annotated videos and their features: found, checked, placed in time."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.data.collection import collect, common_spec, with_classes
from actionformer.data.settings import DataSettings
from actionformer.features import FeatureSpec
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.annotations import read_annotations
from actionformer.settings.config import Config

TIMING = {"fps": 10, "stride": 5, "num_frames": 10}


def settings(**data: Any) -> DataSettings:
    return Config().replace(data=data).data


def of(*videos: str, **entry: Any) -> Annotations:
    action = {"segment": [1.0, 2.0], "label": "jump"}
    return parse_annotations(
        {"database": {v: {"subset": "training", "annotations": [action], **entry} for v in videos}}
    )


def write(folder: Path, video: str, sidecar: dict[str, Any] | None = None, shape: tuple[int, ...] = (20, 4)) -> None:
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{video}.npy", np.zeros(shape, dtype=np.float32))
    if sidecar is not None:
        (folder / f"{video}.json").write_text(json.dumps(sidecar), "utf-8")


def test_all_videos_are_found(annotations: Path, features: Path) -> None:
    found = collect(read_annotations(annotations), features, settings())
    assert [video.video.id for video in found.videos] == [f"video{i}" for i in range(6)]
    assert [len(video.features) for video in found.videos] == [40, 80, 57, 64, 50, 71]
    assert (found.missing, found.missing_actions) == ([], 0)


def test_timing_of_setting_sidecar_and_annotations(tmp_path: Path) -> None:
    write(tmp_path, "a", {"stride": 5, "num_frames": 10})
    with pytest.raises(InputError, match=r"'a': fps of the features is not known"):
        collect(of("a"), tmp_path, settings())
    write(tmp_path, "b", {})
    with pytest.raises(InputError, match=r"'b': fps, stride, num_frames .* are not known: .* set data.fps, data.st"):
        collect(of("b"), tmp_path, settings())
    (video,) = collect(of("a", fps=25.0), tmp_path, settings()).videos
    assert (video.grid.fps, video.grid.stride, video.grid.num_frames) == (25, 5, 10)
    (video,) = collect(of("a", fps=25.0), tmp_path, settings(fps=30)).videos
    assert video.grid.fps == 30
    write(tmp_path, "a", TIMING)
    (video,) = collect(of("a", fps=25.0), tmp_path, settings(fps=10)).videos
    assert video.grid.fps == 10


@pytest.mark.parametrize("name", ["fps", "stride", "num_frames"])
def test_a_sidecar_is_believed_rather_than_a_setting(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a", TIMING)
    with pytest.warns(UserWarning, match=rf"sidecars say {name} {TIMING[name]}, data.{name} is 99: .* used"):
        (video,) = collect(of("a"), tmp_path, settings(**{name: 99})).videos
    assert getattr(video.grid, name) == TIMING[name]


def test_missing_features_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "a", TIMING)
    with pytest.raises(InputError, match=r"2 of 3 videos have no features in .*: b, c; --skip-missing"):
        collect(of("a", "b", "c"), tmp_path, settings())
    found = collect(of("a", "b", "c"), tmp_path, settings(), skip_missing=True)
    assert [video.video.id for video in found.videos] == ["a"]
    assert [video.id for video in found.missing] == ["b", "c"]
    assert found.missing_actions == 2
    many = of("a", *(f"x{i:02}" for i in range(30)))
    with pytest.raises(InputError, match=r"30 of 31 .*x09 and 20 more"):
        collect(many, tmp_path, settings())


def test_all_features_missing(tmp_path: Path) -> None:
    for skip_missing in (False, True):
        with pytest.raises(InputError, match=r"; no file is called a\.npy \(nor \.npz, .*\); .* holds nothing$"):
            collect(of("a", "b"), tmp_path, settings(), skip_missing=skip_missing)
    write(tmp_path, "a", TIMING)
    with pytest.raises(InputError) as known:  # the prefix is not what is wrong
        collect(of("a.mp4"), tmp_path, settings())
    assert str(known.value).endswith(
        f"; {tmp_path} holds a.npy; 'a.mp4' may be 'a'; it differs by a file's ending alone: rename one side"
    )
    with pytest.raises(InputError, match=r"no such folder of features"):
        collect(of("a"), tmp_path / "absent", settings())


def test_prefix(tmp_path: Path) -> None:
    write(tmp_path, "v_a", TIMING)
    (video,) = collect(of("a"), tmp_path, settings(prefix="v_")).videos
    assert video.video.id == "a"
    assert video.grid.fps == 10


def test_several_folders_are_joined_by_channel(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "a", TIMING, (20, 4))
    write(tmp_path / "flow", "a", TIMING, (21, 3))
    (video,) = collect(of("a"), [tmp_path / "rgb", tmp_path / "flow"], settings()).videos
    assert video.features.shape == (20, 7)
    shutil.rmtree(tmp_path / "flow")
    (tmp_path / "flow").mkdir()
    with pytest.raises(InputError, match=r"1 of 1 videos has no features in .*rgb, .*flow: a"):
        collect(of("a"), [tmp_path / "rgb", tmp_path / "flow"], settings())


def test_widths(tmp_path: Path) -> None:
    write(tmp_path, "a", TIMING, (20, 4))
    write(tmp_path, "b", TIMING, (20, 5))
    with pytest.raises(InputError, match=r"'b'.*5 channels, expected 4"):
        collect(of("a", "b"), tmp_path, settings())
    with pytest.raises(InputError, match=r"'a'.*4 channels, expected 6"):
        collect(of("a"), tmp_path, settings(), width=6)


def test_durations_worth_a_warning_or_an_error(tmp_path: Path) -> None:
    """200 features cover 100.5 s; a window is 1 s."""
    write(tmp_path, "a", TIMING, (200, 4))
    collect(of("a", duration=101.5), tmp_path, settings())
    with pytest.warns(UserWarning, match=r"cover 100.50 s, the video lasts 102.00 s"):
        collect(of("a", duration=102.0), tmp_path, settings())
    with pytest.raises(InputError, match=r"the video lasts 112.00 s"):
        collect(of("a", duration=112.0), tmp_path, settings())
    write(tmp_path, "a", {**TIMING, "duration": 100.8}, (200, 4))
    with pytest.raises(
        InputError, match=r"made of ended at 100.80 s: if it was cut short, copy it again and extract it"
    ):
        collect(of("a", duration=250.0), tmp_path, settings())
    write(tmp_path, "a", {**TIMING, "duration": 112.0}, (200, 4))
    with pytest.raises(InputError, match=r"the video lasts 112.00 s"):
        collect(of("a"), tmp_path, settings())


def test_common_spec(tmp_path: Path) -> None:
    write(tmp_path, "a", {**TIMING, "backbone": "i3d", "weights_hash": "1"})
    write(tmp_path, "b", {**TIMING, "fps": 20})
    spec = common_spec(collect(of("a", "b"), tmp_path, settings()).videos)
    assert (spec.fps, spec.stride, spec.num_frames, spec.backbone, spec.dim) == (None, 5, 10, "i3d", 4)
    assert spec.weights_hash is None
    write(tmp_path, "b", {**TIMING, "backbone": "tsp"})
    with pytest.raises(InputError, match=r"different backbones cannot be mixed: i3d, tsp"):
        common_spec(collect(of("a", "b"), tmp_path, settings()).videos)
    write(tmp_path, "b", {**TIMING, "backbone": "i3d", "weights_hash": "2"})
    with pytest.raises(InputError, match=r"different weights cannot be mixed: 1, 2"):
        collect(of("a", "b"), tmp_path, settings())
    made_for = FeatureSpec(backbone="tsp")
    with pytest.raises(InputError, match=r"video 'a': features of backbone 'i3d', the model was trained on 'tsp'"):
        collect(of("a"), tmp_path, settings(), width=99, made_for=made_for)  # said before the width


def test_number_of_classes(annotations: Path) -> None:
    read = read_annotations(annotations)
    assert with_classes(read, None) is read
    assert with_classes(read, 2).class_names == ("jump", "run")
    assert with_classes(read, 4).class_names == ("jump", "run", "class_2", "class_3")
    one = with_classes(read, 1)
    assert one.class_names == ("action",)
    assert {int(label) for video in one.videos.values() for label in video.labels} == {0}
    three = parse_annotations(
        {"database": {"a": {"subset": "s", "annotations": [{"segment": [0, 1], "label": x} for x in "abc"]}}}
    )
    with pytest.raises(InputError, match=r"3 classes, model.num_classes is 2"):
        with_classes(three, 2)


def test_a_file_name_in_another_form_of_unicode(tmp_path: Path) -> None:
    composed, decomposed = "m\u00fcde", "mu\u0308de"
    write(tmp_path, decomposed, TIMING)
    (video,) = collect(of(composed), tmp_path, settings()).videos
    assert (video.video.id, video.grid.fps) == (composed, 10)
    with pytest.raises(InputError, match=r"videos 'mu\\u0308de' and 'm\\xfcde' share the feature file"):
        collect(of(composed, decomposed), tmp_path, settings())


def test_ids_below_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "cam 1", "v_a", TIMING)
    write(tmp_path / "cam 2", "v_a", TIMING, shape=(10, 4))
    videos = collect(of("cam 1/a", "cam 2/a"), tmp_path, settings(prefix="v_")).videos
    assert [len(video.features) for video in videos] == [20, 10]


@pytest.mark.parametrize("name", ["../a", "/a", "a\0", "a" * 300, "..", "a//b", "a/", "x/" * 3000 + "y"])
def test_names_that_no_file_has_have_no_features(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a", TIMING)
    with pytest.raises(InputError, match="1 of 1 videos has no features"):
        collect(of(name), tmp_path / ".." / tmp_path.name, settings())


def test_names_that_differ_by_one_thing_are_told(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path, f"video_{i}", TIMING)
    with pytest.raises(InputError, match=r"'video_0\.mp4' may be 'video_0'; .*all 4 differ by a file's ending alone"):
        collect(of(*(f"video_{i}.mp4" for i in range(4))), tmp_path, settings())
    with pytest.raises(InputError, match=r"'Video_1' may be 'video_1'; it differs by upper and lower case alone"):
        collect(of("Video_1", "video_2"), tmp_path, settings())
    with pytest.raises(InputError, match=r"--skip-missing leaves them out$"):  # the next number is never meant
        collect(of("video_1", "video_9"), tmp_path, settings())


def test_features_in_other_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").touch()
    with pytest.raises(InputError, match=r"it holds 1 \.pkl files: save each as \.npy"):
        collect(of("a"), tmp_path, settings())
