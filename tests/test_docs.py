"""What the pages and `help(actionformer)` say can be done is done here, on small files, and links lead somewhere."""

import json
import pydoc
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import Command
from cyclopts import App
from local_hub import local_hub, use
from pages import PAGES, ROOT, Block, anchors, blocks, expanded, links, options
from standing_in import write_files

import actionformer
from actionformer.cli import VERBS, commands
from actionformer.cli.settings import given_settings
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names

MADE = "docs/api.md"
"""Made from the source, whose own test reads it."""
READ = [page for page in PAGES if page != MADE]
NOT_RUN = {
    "make": "installs the project, or runs for minutes; CI runs it",
    "--cluster": "starts a cluster; tests/cluster/test_cluster.py makes such calls",
    "view": "serves a page until it is stopped",
    "label": "serves a page until it is stopped",
    "serve": "answers until it is stopped; tests/serving has it in a process of its own",
    "curl": "asks a server that runs; tests/serving asks the same",
    "docker": "needs an engine; tests/test_dockerfile.py runs the steps",
    "self-train": "needs a first model that finds something; tests/recipes/test_self_train.py has one",
    "torchrun": "starts several processes; tests/recipes/test_train_shared.py does",
    "recorder": "stands for any program that records",
    "rtsp://camera/stream": "needs a camera",
    "v4l2:/dev/video0": "needs a camera",
    "-": "reads what another program records",
    "epoch_034.pth.tar": "needs the authors' checkpoint; tests/interop converts some",
    "rgb.pth.tar": "needs the authors' checkpoints; tests/interop converts small ones",
    "epoch_7.pth": "needs the authors' checkpoint; tests/parity converts a small one",
    "epoch_039.pth.tar": "needs the authors' checkpoint; tests/interop converts some",
    "movenet_single_pose_lightning_ptq.tflite": "needs published weights; tests/backbones/test_pose.py extracts",
    "models/thumos14": "needs the authors' checkpoint",
} | dict.fromkeys(
    ("anet/", "data/anet/", "epic-kitchens-100-annotations/", "data/epic_verb/", "epic_kitchens/", "ego4d/",
     "runs/hacs", "50salads/", "data/salads/", "HAPT Data Set", "data/hapt/", "runs/anet/"),
    "needs the download of a benchmark",
)  # fmt: skip
"""Words of commands that are only parsed, and why; those with a / stand for all that begins with them."""
SMALLER = {"--training.epochs": "1", "--training.warmup-epochs": "0", "--model.width": "16"}
"""What makes a training fast enough for a test."""
FEWER = {"--seeds": "1", "--draws": "20"}
"""What makes a comparison fast enough besides."""
OF_TORCHRUN = {"--max-restarts", "--node-rank"}
SLOW = {"docs/export.md"}
"""Pages whose examples take minutes."""
OF_BENCHMARKS = {"--kept", "--many", "--only", "--proposer", "--published", "--time"}


def shell(page: str) -> Iterator[tuple[Block, list[str]]]:
    for block in blocks(page):
        if block.language == "sh":
            for words in block.commands():
                yield block, words


def why_not_run(words: list[str]) -> str | None:
    """Why a command is only parsed; None if it runs."""
    if "--save" in words:  # of `view`, which then ends
        return None
    return next((why for key, why in NOT_RUN.items() for word in words if is_meant(key, word)), None)


def is_meant(key: str, word: str) -> bool:
    word = word.strip("'\"")
    return word == key or ("/" in key and word.startswith(key))


@pytest.fixture(scope="module")
def program() -> App:
    return commands(listed=False)


@pytest.mark.parametrize("page", READ)
def test_every_block_says_what_it_is(page: str) -> None:
    for block in blocks(page):
        assert block.language in {"sh", "python", "json", "toml", "text"}, block.place
        if block.language == "json":
            for part in [block.text] if block.text.count("\n}") or block.text.count("\n ") else block.text.splitlines():
                json.loads(part)


@pytest.mark.parametrize("page", READ)
def test_every_command_is_one_that_the_program_knows(page: str, program: App) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for block, words in shell(page):
        if words[0] == "make":
            assert words[1] in targets, block.place
        elif why_not_run(words) is None:
            continue  # it runs below
        elif words[0] in ("actionformer", "torchrun"):
            words = words[words.index("actionformer") :]
            _, bound, _ = program.parse_args(expanded(words[1:]), exit_on_error=False, print_error=False)
            if words[1] == "train" and not re.fullmatch(r"auto|.*\.toml", bound.arguments["config"]):
                load_config(bound.arguments["config"], given_settings(bound.arguments.get("settings")))


def every_option(program: App) -> set[str]:
    return {
        name for verb in VERBS for argument in program[verb].assemble_argument_collection() for name in argument.names
    }


def test_every_option_in_a_sentence_is_one_of_the_program(program: App) -> None:
    known = every_option(program) | {"--help", "--version"} | OF_BENCHMARKS | OF_TORCHRUN
    assert "--training.epochs" in known
    assert {page: found - known for page in READ if (found := options(page)) - known} == {}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for path, anchor in links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_every_test_and_benchmark_that_is_named_is_there(page: str) -> None:
    named = re.findall(r"\b((?:tests|benchmarks)/[\w./-]*\w(?:\.py|\.json|\.md|/))", PAGES[page].read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = "docs/README.md"
    listed = {path for path, _ in links(index)}
    assert [page for page in PAGES if page.startswith("docs/") and page != index and PAGES[page] not in listed] == []


def test_every_preset_and_verb_stands_on_a_page() -> None:
    text = "\n".join(PAGES[page].read_text("utf-8") for page in READ)
    assert [name for name in preset_names() if f"`{name}`" not in text] == []
    assert [verb for verb in VERBS if f"actionformer {verb}" not in text] == []


def test_whatever_is_not_run_stands_on_a_page() -> None:
    every = [word for page in READ for _, words in shell(page) for word in words]
    assert [key for key in NOT_RUN if not any(is_meant(key, word) for word in every)] == []


# --- they run


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Videos are decoded, and memory is not measured, in this process: others take longer to start than they run."""
    monkeypatch.setattr("actionformer.extraction.encode._processes", lambda *_: 0)
    monkeypatch.setattr("actionformer.recipes.costs._peak_mib", lambda *_: None)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, tiny: Config) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_files(folder, tiny)
    return folder


def ready(words: list[str]) -> list[str]:
    """A command as it runs here, without the program: smaller, and with nothing in the way of what it writes."""
    arguments = expanded(words[1:])
    if "--out" in arguments and "--resume" not in arguments and words[1] != "extract":
        remove(Path(arguments[arguments.index("--out") + 1]))
    smaller = {"train": SMALLER, "compare": SMALLER | FEWER, "ablate": SMALLER | FEWER}.get(words[1], {})
    for name, value in smaller.items() if "--from" not in words else ():
        if name in arguments:
            arguments[arguments.index(name) + 1] = value
        else:
            arguments += [name, value]
    return ["cpu" if word == "cuda" else word for word in arguments]


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def run_python(code: str, names: dict[str, Any]) -> None:
    for name, here in {
        '"auto"': '"small.toml"',
        '"cuda"': '"cpu"',
        '"bfloat16"': '"float32"',
        "rtsp://camera/stream": "features/video_1.npy",
    }.items():
        code = code.replace(name, here)
    for out in re.findall(r'actionformer\.train\(.*"(.+?)"\)', code):
        remove(Path(out))
    exec(compile(code, "example", "exec"), names)


@pytest.fixture
def hub() -> Iterator[ExitStack]:
    """Ends the stand-in of huggingface.co that a page needs."""
    with ExitStack() as stack:
        yield stack


def names_of_examples() -> dict[str, Any]:
    """What examples take for given."""
    width = 204
    return {
        "array": np.zeros((20, width), dtype=np.float32),
        "features": torch.zeros(1, 16, width),
        "valid": torch.ones(1, 16, dtype=torch.bool),
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings(
    "ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning"
)  # huggingface_hub's own
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page
        for page in READ
        if any(block.language in {"sh", "python"} for block in blocks(page))
    ],
)
def test_the_commands_and_examples_of_a_page_run(
    page: str, files: Path, tmp_path: Path, call: Command, monkeypatch: pytest.MonkeyPatch, hub: ExitStack
) -> None:
    here = shutil.copytree(files, tmp_path / "here")
    monkeypatch.chdir(here)
    names = names_of_examples()
    if "hf://" in PAGES[page].read_text("utf-8"):
        use(hub.enter_context(local_hub()), tmp_path / "hub", monkeypatch)
    for block in blocks(page):
        if block.language == "python":
            run_python(block.text, names)
        for words in block.commands() if block.language == "sh" else ():
            if why_not_run(words) is None:
                done = call(*ready(words))
                assert done.code == 0, (block.place, words, done.err)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_example_of_help_runs(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(files, tmp_path / "here", ignore=shutil.ignore_patterns("mine")))
    lines = (actionformer.__doc__ or "").splitlines()
    code = [line.removeprefix("    ") for line in lines[lines.index("    import actionformer") :]]
    names: dict[str, Any] = {}
    run_python("\n".join(code[: next(i for i, line in enumerate(code) if line.startswith("Segments"))]), names)
    assert isinstance(names["found"], actionformer.Detections)
    assert Path("new.srt").is_file()


def test_help_is_a_page() -> None:
    text = pydoc.plain(pydoc.render_doc(actionformer))
    tour = actionformer.__doc__ or ""
    assert len(tour.splitlines()) <= 40
    assert max(map(len, tour.splitlines())) <= 82
    assert len(text.splitlines()) <= 85  # the tour, and the modules of the package
    names = set(dir(actionformer)) - {"__version__"}
    for name in names - {"Config", "Backbone", "SuppressionSettings", "load_config", "suppress"}:
        assert re.search(rf"\b{name}\b", tour), name
