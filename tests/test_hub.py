"""What `hf://USER/MODEL` stands for, on a stand-in of the hub: what is fetched, kept and refused."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Command
from local_hub import LocalHub, Repository, local_hub, use

from actionformer.core.errors import InputError
from actionformer.hub import is_address, model_folder
from actionformer.model_directory import load_settings
from actionformer.recipes.calibrate import calibrate

pytest.importorskip("huggingface_hub", reason="models of the hub need the extra hub")

MODEL = ("config.toml", "model.json", "model.safetensors")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with local_hub() as hub:
        use(hub, tmp_path / "cache", monkeypatch, token=None)
        yield hub


def put(hub: LocalHub, run: Path, name: str = "ann/jumps", *, private: bool = False, gated: bool = False) -> Repository:
    """A run as a repository, with files that no model directory has."""
    repository = hub.repositories[name] = Repository(private, gated)
    files: dict[str, bytes | None] = {one: (run / one).read_bytes() for one in MODEL}
    repository.commit({**files, "README.md": b"a card", "resume/state.pt": b"\x80", "pytorch_model.bin": b"\x80"})
    return repository


@pytest.mark.parametrize("given", ["runs/mine", "hf", "/hf://a/b", Path("a/hf:")])
def test_a_folder_is_a_folder(given: str | Path) -> None:
    assert not is_address(given)
    assert model_folder(given) == Path(given)


@pytest.mark.parametrize("given", ["https://host/run", Path("s3://bucket/run"), "file:///run"])
def test_an_address_of_another_place_is_refused(given: str | Path) -> None:
    with pytest.raises(InputError, match=r"^(https|s3|file)://[a-z]*/?run: expected a folder or hf://USER/MODEL"):
        model_folder(given)


@pytest.mark.parametrize(
    "given",
    ["hf://", Path("hf://"), "hf://ann", "hf://ann/jumps/best", "hf://ann/jumps@", "hf://ann/j umps", "hf://a/b@c@d"],
)
def test_an_address_of_another_form_is_refused(given: str | Path) -> None:
    with pytest.raises(InputError, match=r"expected hf://USER/MODEL or hf://USER/MODEL@REVISION$"):
        model_folder(given)


def test_only_the_files_of_a_model_directory_are_fetched(hub: LocalHub, trained: Path) -> None:
    put(hub, trained)
    folder = model_folder("hf://ann/jumps")
    assert sorted(path.name for path in folder.iterdir()) == sorted(MODEL)
    assert load_settings(folder) == load_settings(trained)
    assert model_folder(Path("hf://ann/jumps")) == folder  # a Path has one slash
    assert not [one for one in hub.asked if "resume" in one or ".bin" in one]


def test_a_revision_stays_when_the_model_is_replaced(hub: LocalHub, trained: Path) -> None:
    first = put(hub, trained).commits[-1][0]
    hub.repositories["ann/jumps"].commit({"model.json": b"{}"})
    assert load_settings(model_folder(f"hf://ann/jumps@{first}")) == load_settings(trained)
    with pytest.raises(InputError, match=r"model\.json: not a model's description"):
        load_settings(model_folder("hf://ann/jumps"))
    with pytest.raises(InputError, match=r"^hf://ann/jumps@v2: the model has no such revision: without @REVISION"):
        model_folder("hf://ann/jumps@v2")


def test_the_cache_serves_when_the_hub_cannot(
    hub: LocalHub, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hub, trained)
    put(hub, trained, "ann/other")
    folder = model_folder("hf://ann/jumps")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    before = len(hub.asked)
    assert model_folder("hf://ann/jumps") == folder
    with pytest.raises(InputError, match=r"^hf://ann/other: is not in the cache, .* or unset HF_HUB_OFFLINE"):
        model_folder("hf://ann/other")
    assert len(hub.asked) == before


def test_a_hub_that_does_not_answer_is_said(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(InputError, match=r"^hf://ann/jumps: is not in the cache, and the hub cannot be reached: check"):
        model_folder("hf://ann/jumps")


def test_what_may_not_be_read_is_said(hub: LocalHub, trained: Path) -> None:
    put(hub, trained, "ann/private", private=True)
    put(hub, trained, "ann/gated", gated=True)
    for name in ("ann/private", "ann/nothing"):
        with pytest.raises(InputError, match=rf"^hf://{name}: no such model, or a private one: .* `hf auth login`"):
            model_folder(f"hf://{name}")
    with pytest.raises(
        InputError, match=r"^hf://ann/gated: its owner asks readers to accept conditions: open its page"
    ):
        model_folder("hf://ann/gated")


def test_a_repository_without_a_model_is_refused(hub: LocalHub) -> None:
    hub.repositories["ann/empty"] = Repository()
    hub.repositories["ann/empty"].commit({"README.md": b"nothing yet", "model.json": b"{}"})
    with pytest.raises(InputError, match=r"no model directory, config\.toml is not there"):
        load_settings(model_folder("hf://ann/empty"))


def test_what_would_be_changed_has_to_be_a_folder() -> None:
    with pytest.raises(InputError, match=r"^hf:/ann/jumps: this takes a folder: `hf download USER/MODEL --local-dir"):
        calibrate(Path("hf://ann/jumps"))


def test_the_library_is_asked_for_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"needs huggingface_hub: pip install 'actionformer-tal\[hub\]'"):
        model_folder("hf://ann/jumps")


def test_every_verb_that_reads_a_model_takes_its_address(
    hub: LocalHub, trained: Path, annotations: Path, features: Path, tmp_path: Path, call: Command
) -> None:
    put(hub, trained)
    data = ("--annotations", annotations, "--features", features)
    assert "detector" in call("info", "hf://ann/jumps").out
    done = call("evaluate", "hf://ann/jumps", *data)
    assert (done.code, "mAP" in done.out) == (0, True)
    assert sorted(path.name for path in model_folder("hf://ann/jumps").iterdir()) == sorted(MODEL)  # nothing is left
    done = call("view", "hf://ann/jumps", *data, "--save", tmp_path / "page.html")
    assert (done.code, (tmp_path / "page.html").is_file()) == (0, True)
    done = call("watch", "hf://ann/jumps", features / "video4.npy", "--max-action-seconds", 8, "--format", "csv")
    assert (done.code, done.out.splitlines()[0]) == (0, "video,label,start,end,score")
    done = call("train", "small", *data, "--out", tmp_path / "run", "--init", "hf://ann/jumps", "--training.epochs", 1)
    assert (done.code, "settings call for" in done.err) == (2, True)  # of another width: it was read


def test_the_command_line_takes_addresses(hub: LocalHub, trained: Path, features: Path, tmp_path: Path) -> None:
    """In a process of its own, with the hub named as users name another one."""
    put(hub, trained)
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    video = shutil.copy(features / "video4.npy", tmp_path)
    shutil.copy(features / "video4.json", tmp_path)
    command = [sys.executable, "-m", "actionformer", "detect", "hf://ann/jumps", video, "--format", "csv"]
    environment |= {"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("video,label,start,end,score\nvideo4,")
