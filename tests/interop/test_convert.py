"""A converted model takes the place of an earlier one whole, and of nothing else."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.inference.loading import load
from actionformer.interop import convert

AFSD = """
preset = "afsd_thumos14_i3d"
[model]
input_dim = 20
width = 64
"""


@pytest.fixture
def afsd(tmp_path: Path) -> Path:
    """Settings of the small AFSD, which leave the number of classes to the checkpoint."""
    (tmp_path / "afsd.toml").write_text(AFSD, "utf-8")
    return tmp_path / "afsd.toml"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def converted(tmp_path: Path, small: Path) -> Path:
    convert(small / "official_config.yaml", small / "epoch_007.pth.tar", tmp_path / "model")
    return tmp_path / "model"


def again(small: Path, directory: Path) -> None:
    convert(small / "official_config.yaml", small / "epoch_007.pth.tar", directory)


def test_a_converted_model_is_replaced_with_its_evaluation(converted: Path, small: Path) -> None:
    before = content(converted)
    (converted / "detections.json").write_text("of the model before")
    again(small, converted)
    assert content(converted) == before
    assert os.listdir(converted.parent) == ["model"]


def test_what_is_no_model_is_left_alone(converted: Path, small: Path, run: Path) -> None:
    other = converted.parent / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    (converted / "notes.txt").write_text("mine")
    for directory, message in (
        (other, "is not a model directory and is left alone"),
        (other / "thesis.txt", "is not a model directory and is left alone"),
        (converted, "holds notes.txt and is left alone"),
        (run, "holds a trained model and is left alone"),
    ):
        before = content(converted.parent)
        with pytest.raises(InputError, match=message):
            again(small, directory)
        assert content(converted.parent) == before


def test_a_link_to_a_model_stays_one(converted: Path, small: Path) -> None:
    (converted.parent / "link").symlink_to(converted)
    again(small, converted.parent / "link")
    assert (converted.parent / "link").is_symlink()
    load(converted.parent / "link")


@pytest.mark.parametrize("step", ["mkdir", "rename", "rename again"])
def test_stopped_anywhere_it_leaves_one_model_or_the_other_and_never_both(
    converted: Path, small: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Stopped without a chance to clean up; what is left goes with the next conversion."""
    before = content(converted)
    (converted / "detections.json").write_text("of the model before")
    name, _, second = step.partition(" ")
    function, calls = getattr(Path, name), []

    def stopped(path: Path, *arguments: object, **options: object) -> object:
        if path.name.endswith(".part") or path.name == "model":
            calls.append(path)
            if len(calls) == 1 + bool(second):
                raise KeyboardInterrupt
        return function(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(Path, name, stopped)
        with pytest.raises(KeyboardInterrupt):
            again(small, converted)
    if converted.exists():
        assert content(converted).keys() - {".lock"} == before.keys() | {"detections.json"}
    again(small, converted)
    assert content(converted) == before
    assert os.listdir(converted.parent) == ["model"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")])
def test_ended_between_two_renames_it_puts_the_model_before_back(
    converted: Path, small: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    before, rename = content(converted), Path.rename

    def ended(path: Path, target: Path) -> Path:
        if path.name == ".model.new.part":
            raise error
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", ended)
        with pytest.raises((KeyboardInterrupt, InputError)):
            again(small, converted)
    assert content(converted) == before
    assert os.listdir(converted.parent) == ["model"]


def test_a_directory_in_use(converted: Path, small: Path) -> None:
    with sole_writer(converted), pytest.raises(InputError, match="is in use by process"):
        again(small, converted)


def test_a_disk_without_room_names_the_directory(converted: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(converted)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"model: cannot write \(No space left on device\)") as error:
        again(small, converted)
    assert ".part" not in str(error.value)
    assert content(converted) == before
    assert os.listdir(converted.parent) == ["model"]
    shutil.rmtree(converted)


def test_averaged_weights_are_taken_where_a_preset_stands_for_the_configuration(
    afsd: Path, small: Path, tmp_path: Path
) -> None:
    checkpoint = torch.load(small / "afsd" / "checkpoint.pth", weights_only=True)
    averaged = {name: tensor + 1 for name, tensor in checkpoint["state_dict"].items()}
    torch.save(checkpoint | {"state_dict_ema": averaged}, tmp_path / "both.pth")
    plain = convert(afsd, small / "afsd" / "checkpoint.pth", tmp_path / "plain")
    both = convert(afsd, tmp_path / "both.pth", tmp_path / "both")
    for one, other in zip(plain.model.parameters(), both.model.parameters(), strict=True):
        assert torch.equal(one + 1, other)


def test_a_checkpoint_tells_how_many_classes_there_are_where_a_preset_does_not(
    afsd: Path, small: Path, tmp_path: Path
) -> None:
    assert len(convert(afsd, small / "afsd" / "checkpoint.pth", tmp_path / "model").class_names) == 5


def test_a_preset_of_another_detector_is_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"checkpoint\.pth: is of afsd, bmn_thumos14_i3d is of bmn"):
        convert("bmn_thumos14_i3d", small / "afsd" / "checkpoint.pth", tmp_path / "model")


def test_a_misspelled_preset_gets_the_nearest_name(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no preset 'afsd_thumos14', did you mean 'afsd_thumos14_i3d'"):
        convert("afsd_thumos14", small / "afsd" / "checkpoint.pth", tmp_path / "model")


def test_classes_without_numbers_are_told_to_follow_the_alphabet(small: Path, tmp_path: Path) -> None:
    def named(**numbers: int) -> tuple[str, ...]:
        labels = ("walk", "run", "sit", "jump", "eat")
        actions = [{"segment": [1, 2], "label": label, "label_id": numbers.get(label)} for label in labels]
        content = {"database": {"a": {"subset": "training", "annotations": actions}}}
        (tmp_path / "annotations.json").write_text(json.dumps(content), "utf-8")
        published = small / "official_config.yaml", small / "epoch_007.pth.tar"
        return convert(*published, tmp_path / "model", annotations=tmp_path / "annotations.json").class_names

    assert named(walk=0, run=1, sit=2, jump=3, eat=4) == ("walk", "run", "sit", "jump", "eat")
    with pytest.warns(UserWarning, match="holds 5 classes without a label_id, first 'eat': their names follow the al"):
        assert named() == ("eat", "jump", "run", "sit", "walk")
