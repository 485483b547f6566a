"""MLflow with its local store: what it has of a run, and that a resumed run goes on in the same one."""

from pathlib import Path
from typing import Any

import pytest

from actionformer.core.errors import InputError
from actionformer.recipes.train import train
from actionformer.settings.config import Config


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    mlflow = pytest.importorskip("mlflow", reason="logging to MLflow needs the extra mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return mlflow.MlflowClient()


def runs_of(client: Any, experiment: str = "actionformer") -> list[Any]:
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def test_a_run_with_its_settings_and_figures(
    client: Any, tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    train(tiny, annotations, features, tmp_path / "run", log=["mlflow"])
    (run,) = runs_of(client)
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert (run.data.params["model.width"], run.data.params["training.epochs"]) == ("16", "2")
    steps = client.get_metric_history(run.info.run_id, "step/loss")
    assert [one.step for one in steps] == [1, 2, 3, 4, 5, 6]
    epochs = client.get_metric_history(run.info.run_id, "epoch/map_percent_at_0.5")
    assert [one.step for one in epochs] == [1, 2]
    assert 0 <= epochs[-1].value <= 100


def test_a_resumed_run_goes_on_in_the_same_one(
    client: Any, tmp_path: Path, tiny: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "jumps")

    def stop(progress: Any) -> None:
        if progress.unit == "step" and progress.done == 4:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        train(tiny, annotations, features, tmp_path / "run", log=["mlflow"], on_progress=stop)
    (run,) = runs_of(client, "jumps")
    assert run.info.status == "FAILED"
    train(tiny, annotations, features, tmp_path / "run", log=["mlflow"], resume=True)
    (again,) = runs_of(client, "jumps")
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert [one.step for one in client.get_metric_history(run.info.run_id, "step/loss")] == [1, 2, 3, 4, 3, 4, 5, 6]
    assert [one.step for one in client.get_metric_history(run.info.run_id, "epoch/loss")] == [0, 1, 2]
    train(tiny, annotations, features, tmp_path / "run", log=["mlflow"], overwrite=True)
    assert len(runs_of(client, "jumps")) == 2


def test_a_server_that_does_not_answer_is_said(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match="MLflow cannot be used"):
        train(tiny, annotations, features, tmp_path / "run", log=["mlflow"])


def test_a_server_that_does_not_answer_is_told_before_anything_is_touched(
    client: Any, run: Path, tiny: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("mlflow.MlflowClient.get_experiment_by_name", away)
    with pytest.raises(InputError, match=r"cannot be used .no route to host.: set MLFLOW_TRACKING_URI to a server"):
        train(tiny, annotations, features, run, overwrite=True, log=["mlflow"])
    assert (run / "model.safetensors").is_file()
