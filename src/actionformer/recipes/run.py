"""The models and the state of a run while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.run_files import BEST
from actionformer.model_directory import ModelCard, keep_proposer, save_model
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.recipes.overview import write_overview
from actionformer.recipes.run_directory import forget_evaluation
from actionformer.recipes.task import Task
from actionformer.recipes.validation import Validation
from actionformer.training.checkpoints import state_path, write_state
from actionformer.training.loop import Metrics, Trainer


class Run:
    """Writes the models and the state of a run after every epoch."""

    def __init__(
        self,
        out: Path,
        task: Task,
        trainer: Trainer,
        evaluation: Validation | None,
        classifier: VideoClassifier | None = None,
    ) -> None:
        self.out, self.task, self.trainer, self.evaluation = out, task, trainer, evaluation
        self.classifier = classifier
        self.best = -1.0

    def restore(self, state: Mapping[str, Any]) -> int:
        """Continues from a state; returns the first epoch to train.

        Raises:
            InputError: a state of another network, or of another number of steps.
        """
        try:
            self.trainer.load_state_dict(state["trainer"], epochs=state["epoch"] + 1)
        except InputError as error:
            raise InputError(f"{state_path(self.out)}: {error}; --overwrite starts again") from error
        self.best = state["best"]
        return int(state["epoch"]) + 1

    def save(self, epoch: int, metrics: Metrics) -> None:
        """Writes the best and the last model, after the last epoch the overview, then the state that says so."""
        figures = {name: value for name, value in metrics.items() if name.startswith("map")}
        card = replace(
            self.task.card,
            training={**self.task.card.training, "epochs": epoch + 1},
            metrics=figures,
            calibration=self.evaluation.calibration if self.evaluation and figures else None,
        )
        if figures.get("map", -1.0) > self.best:
            self.best = figures["map"]
            self._save(self.out / BEST, card)
        self._save(self.out, card)
        if self.evaluation is not None and epoch + 1 == self.task.config.training.all_epochs:
            write_overview(self.out, self.task, self.evaluation)
        write_state(self.out, {"epoch": epoch, "best": self.best, "trainer": self.trainer.state_dict()})

    def _save(self, directory: Path, card: ModelCard) -> None:
        forget_evaluation(directory)
        if self.task.proposer is not None:
            keep_proposer(directory, self.task.proposer)
        save_model(directory, self.trainer.evaluated, self.task.config, card, self.classifier)
