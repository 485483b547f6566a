"""The data sets by name."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import InputError, load_config
from actionformer.datasets.index import DATASETS, PRESETS, read_dataset
from actionformer.recipes.dataset import convert_dataset

WITH_FEATURES = ("hapt", "salads", "gtea", "breakfast")
"""Data sets whose features are written, in the timing of a preset."""


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_has_a_preset(name: str) -> None:
    preset, *options = PRESETS[name].split()
    assert load_config(preset)
    assert all(option.startswith("--data.") for option in options[::2])


@pytest.mark.parametrize("name", WITH_FEATURES)
def test_features_have_the_timing_of_their_preset(name: str) -> None:
    preset, _, changes = PRESETS[name].partition(" --data.fps ")
    data = load_config(preset, {"data": {"fps": float(changes)}} if changes else None).data
    module = __import__(f"actionformer.datasets.{name}", fromlist=["SPEC"])
    assert (data.fps, data.stride, data.num_frames) == (
        module.SPEC.fps,
        module.SPEC.stride,
        module.SPEC.num_frames,
    )


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set 'salad', did you mean 'salads'"):
        read_dataset("salad", tmp_path)


def test_from_outside(call: Command, hapt_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "my data"
    found = call("dataset", "hapt", hapt_folder, out)
    assert found.code == 0
    expected = "12 classes (here 2), 42 training videos (here 1), 19 test videos (here 1)"
    assert found.err.strip() == (
        f"warning: {hapt_folder}: hapt was published with {expected}: see that the download is whole"
    )
    *_, last = found.out.splitlines()
    assert found.out.splitlines()[0] == f"annotations: {out / 'annotations.json'}"
    assert last.startswith("train on it: actionformer train hapt --annotations ")
    command = last.removeprefix("train on it: actionformer ").removesuffix("runs/hapt")
    trained = call(*shlex.split(command), tmp_path / "run", "--training.epochs", 1, "--training.warmup-epochs", 0,
                   "--model.width", 16, "--model.max-length", 288)  # fmt: skip
    assert trained.code == 0, trained


def test_what_is_there_is_replaced_only_if_asked(
    call: Command, refused: Refused, framewise_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert call("dataset", "gtea", framewise_folder, out).code == 0
    assert "annotations_split1.json: exists" in refused("dataset", "gtea", framewise_folder, out)
    assert call("dataset", "gtea", framewise_folder, out, "--overwrite").code == 0


def test_the_published_folder_is_never_written_into(framewise_folder: Path, refused: Refused) -> None:
    before = np.load(framewise_folder / "features" / "a.npy")
    line = refused("dataset", "gtea", framewise_folder, framewise_folder, "--overwrite")
    assert "is the data set itself" in line
    np.testing.assert_array_equal(np.load(framewise_folder / "features" / "a.npy"), before)


def test_a_wrong_folder_is_one_line(refused: Refused, tmp_path: Path) -> None:
    line = refused("dataset", "hapt", tmp_path, tmp_path / "out")
    assert line.startswith(
        f"error: {tmp_path / 'activity_labels.txt'}: missing, expected one number and one class per line"
    )
    with pytest.raises(InputError, match="no such folder"):
        convert_dataset("hapt", tmp_path / "nothing", tmp_path / "out")


def test_data_is_another_name_of_the_verb(call: Command, framewise_folder: Path, tmp_path: Path) -> None:
    assert call("data", "gtea", "--source", framewise_folder, "--out", tmp_path / "out").code == 0
    assert (tmp_path / "out/annotations_split2.json").exists()


def test_an_archive_in_place_of_the_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "gtea.zip").touch()
    told = refused("dataset", "gtea", tmp_path / "gtea.zip", tmp_path / "out")
    assert "gtea.zip: a file, expected the folder of the data set: unpack it" in told
