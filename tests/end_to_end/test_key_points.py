"""A user with files of key points: labels and files -> a model -> what a mouse does in a new file."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from scurrying import FPS, scurrying, write_deeplabcut

from actionformer.recipes.extract import extract
from actionformer.recipes.train import train
from actionformer.settings.config import Config

SECONDS = 20.0


def written(folder: Path, name: str, seed: int) -> list[tuple[float, float]]:
    """Writes a file of a mouse; gives when it rears."""
    rng = np.random.default_rng(seed)
    begins = np.arange(1.5, SECONDS - 4, 4.5) + rng.uniform(0, 1, 4)
    rears = [(float(begin), float(begin + rng.uniform(1, 2.5))) for begin in begins]
    write_deeplabcut(folder / f"{name}DLC_resnet50_shuffle1.csv", scurrying(SECONDS, rears, seed))
    return rears


@pytest.mark.slow
def test_a_model_learns_from_key_points_and_finds_what_a_new_animal_does(
    tiny: Config, tmp_path: Path, call: Command
) -> None:
    (tracks := tmp_path / "tracks").mkdir()
    database = {
        f"m{seed}": {
            "subset": "training" if seed < 5 else "validation",
            "duration": SECONDS,
            "annotations": [{"segment": segment, "label": "rear"} for segment in written(tracks, f"m{seed}", seed)],
        }
        for seed in range(6)
    }
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    extract(tracks, "keypoints", tmp_path / "features", fps=FPS, workers=0)
    config = tiny.replace(training={"epochs": 15, "learning_rate": 3e-3, "evaluate_every": 0})
    train(config, tmp_path / "annotations.json", tmp_path / "features", tmp_path / "run")

    (new := tmp_path / "new").mkdir()
    rears = written(new, "m9", 9)
    done = call("detect", tmp_path / "run", new / "m9DLC_resnet50_shuffle1.csv", "--out", tmp_path / "found.json")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "found.json").read_text())["results"]["m9"]
    best = sorted(found, key=lambda one: -one["score"])[: len(rears)]
    for begin, end in rears:
        ends = [one["segment"] for one in best]
        assert min(abs(one[0] - begin) + abs(one[1] - end) for one in ends) < 1.0, (rears, ends)
