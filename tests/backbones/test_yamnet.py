import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actionformer.backbones import load_backbone
from actionformer.backbones.litert import value
from actionformer.backbones.mel import log_mel
from actionformer.backbones.yamnet import CLASSES, EMBEDDING, YAMNet
from actionformer.core.errors import InputError
from actionformer.sound.medium import SOUND

SPEECH, DISHES, CUTLERY, SMALL_ROOM = 0, 358, 359, 500  # of the classes of AudioSet

pytest.importorskip("ai_edge_litert", reason="the backbone yamnet needs LiteRT")


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "data" / "weights"


@pytest.fixture
def yamnet(folder: Path) -> YAMNet:
    return YAMNet(weights=[folder])


def test_the_test_sound_is_speech_by_its_patch_and_by_ours(yamnet: YAMNet, folder: Path) -> None:
    sound = np.fromfile(folder / "yamnet_test_audio.bin", np.int16).astype(np.float32) / np.float32(2**15)
    patch = np.fromfile(folder / "yamnet_test_spectra.bin", np.float32).reshape(96, 64)
    found = yamnet.encode(torch.from_numpy(np.stack([patch, log_mel(sound)])))
    assert found.shape == (2, yamnet.dim) == (2, EMBEDDING + CLASSES)
    scores = found[:, EMBEDDING:]
    assert scores.argmax(1).tolist() == [SPEECH, SPEECH]
    assert scores[:, SPEECH].min() > 0.9
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_a_kitchen_sounds_like_one(yamnet: YAMNet, shared: Path) -> None:
    """A person who talks and cooks: speech, in a small room, dishes and cutlery."""
    with SOUND.open(shared / "data" / "videos" / "flipping_a_pancake.mkv", None) as recording:
        rows = np.stack(list(yamnet.preprocessing(recording.rows())))
    patches = np.stack([rows[first : first + 96] for first in range(0, len(rows) - 95, 48)])
    scores = yamnet.encode(torch.from_numpy(patches))[:, EMBEDDING:].mean(0)
    assert scores.argsort(descending=True)[:4].tolist() == [SPEECH, SMALL_ROOM, DISHES, CUTLERY]


def test_the_embedding_is_what_the_scores_are_made_of(yamnet: YAMNet) -> None:
    """The last layer, computed here from the embedding with the weights of the file."""
    network: Any = yamnet._network
    details = {tuple(one["shape"].tolist()): one for one in network.get_tensor_details()}
    weights, bias = (value(network, details[shape]) for shape in ((CLASSES, EMBEDDING), (CLASSES,)))
    patches = torch.randn(3, 96, 64, generator=torch.Generator().manual_seed(0)) - 2
    found = yamnet.encode(patches).numpy()
    embedding, scores = found[:, :EMBEDDING], found[:, EMBEDDING:]
    assert (embedding >= 0).all()
    assert embedding.any()
    np.testing.assert_allclose(1 / (1 + np.exp(-(embedding @ weights.T + bias))), scores, atol=0.03)  # quantised


def test_patches_do_not_influence_one_another(yamnet: YAMNet) -> None:
    patches = torch.randn(4, 96, 64, generator=torch.Generator().manual_seed(1)) - 2
    together = yamnet.encode(patches)
    torch.testing.assert_close(together, torch.cat([yamnet.encode(patch[None]) for patch in patches.flip(0)]).flip(0))


def test_it_is_found_by_name_with_its_weights(yamnet: YAMNet, folder: Path) -> None:
    backbone = load_backbone("yamnet", folder / "yamnet_spectra_in.tflite")
    assert (backbone.name, backbone.fps, backbone.num_frames, backbone.stride) == ("yamnet", 100, 96, 48)
    assert backbone.weights_hash == yamnet.weights_hash


def test_loading_it_says_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    YAMNet(weights=[folder])
    assert capfd.readouterr() == ("", "")


def test_clips_of_another_length_are_refused(yamnet: YAMNet) -> None:
    with pytest.raises(InputError, match="yamnet: takes clips of 96 frames, found 40"):
        yamnet.encode(torch.zeros(1, 40, 64))


def test_a_network_of_another_kind_is_refused_with_what_it_takes(folder: Path) -> None:
    other = folder / "movenet_single_pose_lightning_ptq.tflite"
    with pytest.raises(InputError, match=r"movenet.*: not YAMNet on log-mel .* found 1x192x192x3 and 1x1x17x3"):
        YAMNet(weights=[other])


def test_weights_that_are_missing_are_named_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"yamnet: no weights at .*: get yamnet_spectra_in\.tflite from .*Apache-2\.0"):
        YAMNet(weights=[tmp_path])


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yamnet_spectra_in.tflite"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"yamnet_spectra_in\.tflite: not a network that LiteRT can run"):
        YAMNet(weights=[path])


def test_without_litert_the_line_that_installs_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "yamnet_spectra_in.tflite"
    path.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(InputError, match=r"the backbone yamnet needs ai-edge-litert: pip install '.*\[features\]'"):
        YAMNet(weights=[path])
