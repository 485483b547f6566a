import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import InputError, ensemble, evaluate, load, train
from actionformer.core import files
from actionformer.core.run_files import CARD, CONFIG, WEIGHTS
from actionformer.settings.config import Config


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeds")
    for seed in (0, 1):
        train(tiny.replace(training={"seed": seed}), annotations, features, folder / f"seed{seed}")
    return [folder / "seed0", folder / "seed1"]


def test_runs_become_a_model_like_any_other(
    seeds: list[Path], features: Path, call: Command, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "together"
    done = call("ensemble", *seeds, "--out", out)
    assert (done.code, done.out) == (0, f"model: {out}, 2 networks\n")
    assert "already exists" in refused("ensemble", *seeds, "--out", out)
    assert call("ensemble", *seeds, "--out", out, "--overwrite").code == 0
    report = evaluate(out)
    assert report.counts.videos == 2
    card = json.loads((out / CARD).read_text("utf-8"))["training"]
    assert card["ensemble_of"] == [str(seed) for seed in seeds]
    assert "epochs" not in card
    assert "members" in call("info", out).out or call("info", out).code == 0
    whole = load(out).detect(features / "video4.npy")
    assert call("detect", out, features / "video4.npy", "--format", "json").code == 0
    stream = load(out).stream(max_action_seconds=20, max_per_hour=100_000)
    parts = [stream.push(np.load(features / "video4.npy")), stream.finish()]
    assert min(np.abs(np.concatenate([one.segments for one in parts]) - whole.segments[0]).sum(1)) < 1e-3


def test_twice_the_same_run_finds_what_it_finds(seeds: list[Path], features: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="seed0: is given 2 times, and counts as often"):
        twice = ensemble([seeds[0], seeds[0]], tmp_path / "twice")
    found, alone = (one.detect(features / "video5.npy") for one in (twice, load(seeds[0])))
    np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)
    np.testing.assert_allclose(found.segments, alone.segments, atol=1e-4)


def test_only_what_is_alike_is_put_together(
    seeds: list[Path], tiny: Config, annotations: Path, features: Path, tmp_path: Path
) -> None:
    def refused(why: str, *runs: Path) -> None:
        with pytest.raises(InputError, match=why):
            ensemble(runs, tmp_path / "refused")
        assert not (tmp_path / "refused").exists()

    refused("takes two runs or more, found 1", seeds[0])
    other = shutil.copytree(seeds[1], tmp_path / "other")
    settings = (other / "config.toml").read_text("utf-8")
    (other / "config.toml").write_text(settings.replace("top_k = 2000", "top_k = 7"), "utf-8")
    assert "top_k = 7" in (other / "config.toml").read_text("utf-8")
    refused(r"decoding\.top_k is 7, in \S+ it is 2000: only runs of the same settings", seeds[0], other)
    (other / "config.toml").write_text(settings, "utf-8")
    changed: dict[str, Any] = json.loads((other / CARD).read_text("utf-8"))
    changed["class_names"] = ["run", "jump"]
    (other / CARD).write_text(json.dumps(changed), "utf-8")
    refused("has other classes than", seeds[0], other)
    ensemble(seeds, tmp_path / "together")
    refused("is no single network with a feature pyramid", tmp_path / "together", seeds[0])
    with pytest.raises(InputError, match=r"model\.members: networks are trained one by one"):
        train(tiny.replace(model={"members": 2}), annotations, features, tmp_path / "trained")


def test_a_run_is_never_replaced_by_an_ensemble_of_it(seeds: list[Path]) -> None:
    before = sorted(path.name for path in seeds[0].iterdir())
    for out in (seeds[0], seeds[0].parent):
        with pytest.raises(InputError, match="holds a run that is put together, and would be replaced"):
            ensemble(seeds, out, overwrite=True)
    assert sorted(path.name for path in seeds[0].iterdir()) == before


def test_training_does_not_start_from_an_ensemble(
    seeds: list[Path], tiny: Config, annotations: Path, features: Path, tmp_path: Path
) -> None:
    ensemble(seeds, tmp_path / "together")
    with pytest.raises(InputError, match="together: is an ensemble of 2 networks: start from one of its runs"):
        train(tiny, annotations, features, tmp_path / "run", init=tmp_path / "together")
    assert not (tmp_path / "run").exists()


def test_folds_have_no_video_to_be_measured_on(seeds: list[Path], tmp_path: Path, refused: Refused) -> None:
    for number, seed in enumerate(seeds):
        fold = shutil.copytree(seed, tmp_path / f"fold{number}")
        card: dict[str, Any] = json.loads((fold / CARD).read_text("utf-8"))
        card["training"]["held_out"] = [f"video{number}"]
        (fold / CARD).write_text(json.dumps(card), "utf-8")
        config = (fold / CONFIG).read_text("utf-8")
        (fold / CONFIG).write_text(
            config.replace('test_subset = ["validation"]', 'test_subset = ["held out"]'), "utf-8"
        )
    together = tmp_path / "together"
    with pytest.warns(UserWarning, match="each video that one run held out was learned from by another"):
        ensemble([tmp_path / "fold0", tmp_path / "fold1"], together)
    for verb in ("evaluate", "calibrate"):
        said = refused(verb, together)
        assert "was held out from its training: give videos that it has not learned from, with --subset (there" in said


def test_the_same_call_again_after_a_full_disk_or_a_kill(
    seeds: list[Path], call: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, take = tmp_path / "together", ("ensemble", *seeds, "--out", tmp_path / "together")

    def full(path: Path) -> None:
        if WEIGHTS in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(files, "_flush", full)
        assert call(*take).err == f"error: {out / WEIGHTS}: cannot write (No space left on device)\n"
    assert not out.exists()
    program = (
        "import os, sys; from actionformer import ensemble; replace = os.replace\n"
        "os.replace = lambda part, path: (replace(part, path), os.kill(os.getpid(), 9))\n"
        "ensemble(sys.argv[2:], sys.argv[1])"
    )
    killed = subprocess.run([sys.executable, "-c", program, out, *seeds], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (out / CONFIG).exists()
    assert "--overwrite replaces it" in call(*take).err
    assert call(*take, "--overwrite").code == 0
    assert sorted(path.name for path in out.iterdir()) == [CONFIG, CARD, WEIGHTS]
