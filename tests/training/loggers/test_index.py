"""Which loggers there are, and what is said where one is not installed."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest

from actionformer.core.errors import InputError
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.training.loggers.index import LOGGERS, loggers_of


def test_every_logger_has_what_the_contract_asks_for() -> None:
    for path in LOGGERS.values():
        module, _, name = path.rpartition(".")
        kind = getattr(import_module(module), name)
        assert all(callable(getattr(kind, method)) for method in ("start", "step", "epoch", "finish"))


@pytest.mark.parametrize(("name", "extra"), [("tensorboard", "log"), ("wandb", "wandb"), ("mlflow", "mlflow")])
def test_a_missing_package_is_asked_for(name: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()  # what W&B and MLflow leave where they run is no package
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for module in [one for one in sys.modules if one.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(InputError, match=rf"needs {name}: pip install 'actionformer-tal\[{extra}\]'"):
        loggers_of([name])
    assert loggers_of(None) == [] or name != "tensorboard"


def test_nothing_is_logged_where_nothing_is_asked_for() -> None:
    assert loggers_of([]) == []


def test_what_is_no_logger_is_told_before_a_run_is_removed_for_it(
    run: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    class Half:
        def start(self) -> None:
            pass

    of_class, of_half = r"Half is a class: give an object of it, Half\(\)", "Half has no method 'step'"
    for given, said in ([Half], of_class), ([Half()], of_half):
        with pytest.raises(InputError, match=f"^log: {said}"):
            train(tiny, annotations, features, run, overwrite=True, log=cast(Any, given))
    assert (run / "model.safetensors").is_file()


def test_a_single_name_needs_no_list() -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard needs the extra log")
    assert len(loggers_of("tensorboard")) == 1
