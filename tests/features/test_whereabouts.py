"""Features that are not where they are looked for."""

from pathlib import Path

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.features import FeatureFolders, lacking, whereabouts

VIDEOS = ["clip1", "clip2", "clip10"]


@pytest.mark.parametrize(
    ("files", "prefix", "remedy"),
    [
        (
            ["v_clip1.npy", "v_clip2.npy", "v_clip10.npy"],
            "",
            "F holds v_clip1.npy, v_clip10.npy, v_clip2.npy: give --data.prefix v_",
        ),
        (["clip1.npy", "clip2.npy", "clip10.npy"], "v_", ": give --data.prefix ''"),
        (["cam1/clip1.npy", "cam1/clip2.npy", "cam1/clip10.npy"], "", ": give --features F/cam1"),
        (["a b/v_clip1.h5", "a b/v_clip2.h5", "a b/v_clip10.h5"], "", ": give --features 'F/a b' --data.prefix v_"),
        (["clip1_i3d.npy", "clip2_i3d.npy", "clip10_i3d.npy"], "", "; all end in '_i3d' besides: rename the files, or"),
        (["CLIP1.npy", "CLIP2.npy", "CLIP10.npy"], "", "by upper and lower case alone: rename one side"),
        (["a/clip1.npy", "b/clip2.npy", "c/clip10.npy"], "", "by the folder alone: rename one side"),
        (["v_clip1.npy", "w_clip2.npy", "x_clip10.npy"], "", "v_clip1.npy, w_clip2.npy, x_clip10.npy"),
        (["clip1.mp4", "clip2.mp4"], "", "F holds clip1.mp4, clip2.mp4: make features of these with --videos F"),
        (["clip1.WMV", "clip2.mts"], "", ": make features of these with --videos F"),
        (["clip1.pt", "clip2.pt"], "", "save each as .npy, numpy.save('ID.npy', torch.load('ID.pt'"),
        (["notes.txt", ".hidden"], "", "F holds notes.txt"),
        ([], "", "F holds nothing"),
    ],
)
def test_what_lies_there_and_what_to_do(tmp_path: Path, files: list[str], prefix: str, remedy: str) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for name in files:
        (folder / name).parent.mkdir(exist_ok=True)
        np.save(folder / "array.npy", np.zeros((2, 2)))
        (folder / "array.npy").rename(folder / name)
    said = whereabouts(VIDEOS, FeatureFolders((folder,), prefix)).replace(str(folder), "F")
    assert said.startswith(f"; no file is called {prefix}clip1.npy (nor .npz, .h5, .hdf5, .safetensors); F holds ")
    assert remedy in said
    if "give" in remedy:
        assert said.endswith(remedy.rpartition(": ")[2])


def test_only_folders_that_lack_them_are_told_of(tmp_path: Path) -> None:
    for name in ("rgb", "flow"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / f"{name}_a.npy".removeprefix("rgb_"), np.zeros((2, 2)))
    said = whereabouts(["a"], FeatureFolders((tmp_path / "rgb", tmp_path / "flow")))
    assert said.endswith(f"; {tmp_path / 'flow'} holds flow_a.npy: give --data.prefix flow_")
    assert "rgb holds" not in said


def test_of_several_folders_the_one_that_lacks_a_video_is_named(tmp_path: Path) -> None:
    for file in ("a/clip_1.npy", "a/clip_2.npy", "b/clip_1.npy", "b/clip_9.npy"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        np.save(tmp_path / file, np.zeros((2, 2)))
    source = FeatureFolders.at([tmp_path / "a", tmp_path / "b"])
    assert lacking(["clip_2"], source) == f"; {tmp_path / 'b'} lacks clip_2"
    with pytest.raises(InputError, match=r"no features in .*b: expected clip_2 with one of") as refused:
        source.open("clip_2")
    assert "may be" not in str(refused.value)
    np.save(tmp_path / "b" / "Clip_2.npy", np.zeros((2, 2)))
    assert lacking(["clip_2"], source).endswith(
        "b lacks clip_2; 'clip_2' may be 'Clip_2'; it differs by upper and lower case alone: rename one side"
    )
    assert lacking(["clip_3"], FeatureFolders.at(tmp_path / "a")) == ""
