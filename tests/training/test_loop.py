"""Steps of training: what accumulates, what may be empty, and what a resumed run needs."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from judging import DRAWN, Judged, JudgingNetwork
from torch import Tensor
from variants import actionformer_settings

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import Batch, Collate, EpochLoader, Sample, TrainingSet, TrainingVideo
from actionformer.detectors import index
from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.base import Architecture, architecture_of
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config
from actionformer.training.loop import Trainer, fit, mean_of_taken, steps_per_epoch

LENGTHS = (40, 17, 64, 33)


def samples() -> list[Sample]:
    """Four sequences of two actions each, the last without any."""
    generator = torch.Generator().manual_seed(0)
    result = []
    for i, length in enumerate(LENGTHS):
        actions = torch.tensor([[2.0, 7.0], [5.5, 14.0]])[: 0 if i == 3 else 2]
        features = torch.randn(length, 6, generator=generator)
        result.append(Sample(features, actions, torch.arange(len(actions))))
    return result


def settings(tiny: Config, **training: Any) -> Config:
    model = {"input_dim": 6, "num_classes": 2, "drop_path": 0.0}
    return tiny.replace(model=model, training={"warmup_epochs": 0, **training})


def network(config: Config, seed: int = 0) -> PyramidNetwork:
    torch.manual_seed(seed)
    return build_network(actionformer_settings(config))


def steps(config: Config, groups: list[list[list[Sample]]]) -> tuple[Trainer, dict[str, float]]:
    """A trainer after one step for each group of batches of samples, and the last step's figures."""
    trainer = Trainer(network(config), config, steps_per_epoch=4)
    for group in groups:
        metrics = trainer.step([Collate(None)(batch) for batch in group])
    return trainer, metrics


@pytest.mark.parametrize("size", [1, 2])
def test_several_batches_make_the_step_of_one_large_one(tiny: Config, size: int) -> None:
    every = samples()
    parts = [every[i : i + size] for i in range(0, 4, size)]
    large, figures = steps(settings(tiny), [[every]] * 3)
    small, same = steps(settings(tiny, accumulate=4 // size), [parts] * 3)
    assert large.steps == small.steps == 3
    assert large.criterion.state_dict() == small.criterion.state_dict()
    assert same == pytest.approx(figures, rel=1e-5)
    for before, after in ((large.model, small.model), (large.average.model, small.average.model)):
        for (name, one), other in zip(before.named_parameters(), after.parameters(), strict=True):
            if not name.endswith(
                ("key.bias", "key_norm.bias")
            ):  # softmax does not see it: its gradient is rounding noise
                torch.testing.assert_close(one, other, rtol=0, atol=1e-6, msg=name)


def test_the_step_is_not_that_of_one_part(tiny: Config) -> None:
    """Or the test above would show nothing."""
    every = samples()
    (whole, _), (part, _) = steps(settings(tiny), [[every]]), steps(settings(tiny), [[every[:2]]])
    differences = [
        (one - other).abs().max() for one, other in zip(whole.model.parameters(), part.model.parameters(), strict=True)
    ]
    assert max(differences) > 1e-5


def test_batches_without_a_positive(tiny: Config) -> None:
    """The normaliser counts 1 at least; nothing is 0 / 0."""
    empty = [samples()[3]]
    trainer, metrics = steps(settings(tiny, initial_normalizer=10.0), [[empty, empty]])
    assert metrics["regression_loss"] == 0
    assert metrics["classification_loss"] > 0
    assert metrics["normalizer"] == pytest.approx(0.9 * 10 + 0.1 * 1)
    assert all(torch.isfinite(parameter).all() for parameter in trainer.model.parameters())


def test_offsets_cannot_die(tiny: Config) -> None:
    """With a distance driven to 0 everywhere the published form has no gradient, softplus keeps one."""
    gradients: dict[str, Tensor] = {}
    for form in ("softplus", "relu"):
        config = settings(tiny).replace(model={"offsets": form})
        model = network(config)
        with torch.no_grad():
            bias = model.regressor.output.bias
            assert bias is not None
            bias.fill_(-8.0)
        trainer = Trainer(model, config, steps_per_epoch=1)
        trainer.step([Collate(None)(samples())])
        assert bias.grad is not None
        gradients[form] = bias.grad
    assert (gradients["softplus"] != 0).all()
    assert (gradients["relu"] == 0).all()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision(tiny: Config, precision: str) -> None:
    trainer, metrics = steps(settings(tiny, precision=precision), [[samples()]] * 2)
    assert np.isfinite(metrics["loss"])
    assert {parameter.dtype for parameter in trainer.model.parameters()} == {torch.float32}
    _, exact = steps(settings(tiny), [[samples()]] * 2)
    assert metrics["loss"] == pytest.approx(exact["loss"], rel=0.05)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_clips_gradients_of_their_true_size(tiny: Config, precision: str) -> None:
    """Float16 scales the loss by 65536 at first: what is clipped and reported is the gradient without that."""
    limit = 0.01
    _, exact = steps(settings(tiny, gradient_clip=limit), [[samples()]])
    trainer, metrics = steps(settings(tiny, gradient_clip=limit, precision=precision), [[samples()]])
    assert metrics["gradient_norm"] == pytest.approx(exact["gradient_norm"], rel=0.05)
    assert metrics["gradient_norm"] > 2 * limit
    gradients = [parameter.grad for parameter in trainer.model.parameters() if parameter.grad is not None]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    assert torch.stack([gradient.norm() for gradient in gradients]).norm().item() == pytest.approx(limit, rel=1e-3)


def test_float16_leaves_out_a_step_that_overflows(tiny: Config) -> None:
    trainer, _ = steps(settings(tiny, precision="float16"), [[samples()]])
    before = deepcopy(trainer.model.state_dict())
    trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": 1e30})
    metrics = trainer.step([Collate(None)(samples())])
    assert not np.isfinite(metrics["gradient_norm"])
    assert trainer.scaler.get_scale() == pytest.approx(5e29)
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.state_dict().items())
    assert trainer.steps == 2


def test_divergence_in_float16_is_said_once_no_scale_helps(tiny: Config) -> None:
    broken = Collate(None)([sample._replace(features=sample.features * 1e38) for sample in samples()])
    trainer = Trainer(network(settings(tiny)), settings(tiny, precision="float16"), steps_per_epoch=4)
    for _ in range(16):  # its first scale is 2 ** 16
        assert not np.isfinite(trainer.step([broken])["gradient_norm"])
    with pytest.warns(UserWarning, match="the gradient of step 16 is nan: such steps are left out"):
        trainer.step([broken])
    for _ in range(4):
        trainer.step([broken])
    with pytest.raises(InputError, match="training diverged: the gradient of step 21 is nan"):
        trainer.step([broken])


def test_a_step_without_a_finite_gradient_is_left_out_and_said_once(tiny: Config) -> None:
    batch = Collate(None)(samples())
    broken = Collate(None)([sample._replace(features=sample.features * 1e38) for sample in samples()])
    trainer, _ = steps(settings(tiny, max_skipped_steps=2), [[samples()]])
    before = deepcopy((trainer.model.state_dict(), trainer.average.model.state_dict()))
    with pytest.warns(UserWarning, match="step 1 is nan: such steps are left out, .* metrics.jsonl; 3 in a row end"):
        rows = [trainer.step([broken])]
    rows.append(trainer.step([broken]))  # nothing is said again
    for now, then in zip((trainer.model, trainer.average.model), before, strict=True):
        assert all(torch.equal(value, then[name]) for name, value in now.state_dict().items())
    resumed = Trainer(network(settings(tiny)), settings(tiny, max_skipped_steps=2), steps_per_epoch=4)
    resumed.load_state_dict(deepcopy(trainer.state_dict()))
    with pytest.raises(InputError, match="training diverged: the gradient of step 3 is nan"):
        resumed.step([broken])  # the third in a row
    rows.append(trainer.step([batch]))
    assert (trainer.steps, trainer.skipped) == (4, 0)
    trainer.step([broken])  # the first of a row again
    metrics = mean_of_taken(rows)
    assert metrics["skipped_steps"] == 2
    assert metrics["loss"] == rows[2]["loss"]
    assert "skipped_steps" not in mean_of_taken(rows[2:])
    assert mean_of_taken(rows[:2])["skipped_steps"] == 2  # all of them


def test_divergence_is_said(tiny: Config) -> None:
    broken = [sample._replace(features=sample.features * 1e38) for sample in samples()]
    with pytest.raises(InputError, match=r"training diverged: the gradient of step 0 .* training.learning_rate"):
        steps(settings(tiny, max_skipped_steps=0), [[broken]])


class Recorder:
    def __init__(self) -> None:
        self.steps: list[int] = []
        self.epochs: list[dict[str, float]] = []
        self.modes: set[bool] = set()

    def step(self, step: int, metrics: dict[str, float]) -> None:
        self.steps.append(step)

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        self.epochs.append(metrics)

    def saved(self, epoch: int, metrics: dict[str, float]) -> None:
        pass


def train(
    config: Config, saved: dict[int, Any], first_epoch: int = 0, evaluate: Any = None
) -> tuple[Trainer, Recorder]:
    grid = TimeGrid(fps=1, stride=1, num_frames=1)
    videos = [
        TrainingVideo(f"v{i}", one.features.numpy(), grid, one.segments.numpy(), one.labels.numpy())
        for i, one in enumerate(samples())
    ]
    dataset = TrainingSet(videos, data=config.data, max_length=64, seed=0)
    loader = EpochLoader(dataset, training=config.training, pad_to=architecture_of(config).training_length())
    count = steps_per_epoch(loader, config.training.accumulate)
    trainer = Trainer(network(config, seed=first_epoch), config, steps_per_epoch=count)
    if first_epoch:
        trainer.load_state_dict(saved[first_epoch - 1])
    recorder = Recorder()

    def save(epoch: int, metrics: dict[str, float]) -> None:
        saved[epoch] = deepcopy(trainer.state_dict())

    fit(trainer, loader, first_epoch=first_epoch, observer=recorder, evaluate=evaluate, save=save)
    return trainer, recorder


def test_steps_epochs_and_evaluations(tiny: Config) -> None:
    config = settings(tiny, batch_size=1, accumulate=3, epochs=4, warmup_epochs=1, evaluate_every=2)
    trainer, recorder = train(config, {}, evaluate=lambda model: {"map": 0.5})
    assert recorder.steps == list(range(1, 11))  # four batches in steps of three and one
    assert [("map" in metrics) for metrics in recorder.epochs] == [False, True, False, True, True]
    assert trainer.steps == trainer.total_steps == 10
    assert trainer.steps_per_epoch == 2


def test_the_detector_says_which_weights_learn_slowly(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(architecture: Architecture, name: str, weight: torch.nn.Parameter) -> WeightRule:
        return WeightRule(rate_factor=0.0 if name.startswith("embedding") else 1.0)

    monkeypatch.setattr(Architecture, "weight_rule", rule)
    config = settings(tiny, schedule="step")
    trainer, figures = steps(config, [[samples()]])
    assert figures["learning_rate"] == config.training.learning_rate
    for (name, found), before in zip(trainer.model.named_parameters(), network(config).parameters(), strict=True):
        assert torch.equal(found, before) is name.startswith("embedding")


@pytest.mark.parametrize("average_decay", [0.9, 0.0])
def test_evaluation_does_not_change_training(tiny: Config, average_decay: float) -> None:
    """Without a weight average the model in training is itself evaluated, and must find back to training."""
    config = settings(tiny, average_decay=average_decay, evaluate_every=1, epochs=3).replace(model={"dropout": 0.5})

    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        model.eval()
        torch.rand(3)
        return {"map": 0.0}

    watched, _ = train(config, {}, evaluate=evaluate)
    alone, _ = train(config, {})
    for one, other in zip(watched.evaluated.parameters(), alone.evaluated.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_state_holds_all_that_a_resumed_run_needs(tiny: Config, precision: str) -> None:
    config = settings(tiny, batch_size=3, epochs=4, precision=precision, workers=1)
    config = config.replace(model={"drop_path": 0.3, "dropout": 0.2})
    saved: dict[int, Any] = {}
    whole, _ = train(config, saved)
    again, recorder = train(config, saved, first_epoch=2)
    assert recorder.steps == [5, 6, 7, 8]
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(whole.evaluated.parameters(), again.evaluated.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_batch_says_what_is_padding() -> None:
    batch: Batch = Collate(None)(samples())
    assert batch.valid is not None
    assert batch.valid.sum(1).tolist() == list(LENGTHS)


def test_a_batch_without_padding_needs_no_mask(tiny: Config) -> None:
    """The step is the one that a mask without a hole makes."""
    alike = [sample._replace(features=sample.features[:17]) for sample in samples()]
    assert Collate(None)(alike).valid is None
    assert Collate(18)(alike).valid is not None
    plain, _ = steps(settings(tiny), [[alike]])
    masked = Trainer(network(settings(tiny)), settings(tiny), steps_per_epoch=4)
    forward = masked.model.forward

    def unmasked(features: Tensor, valid: Tensor | None = None) -> Any:
        return forward(features, torch.ones(features.shape[:2], dtype=torch.bool))

    masked.model.forward = unmasked
    masked.step([Collate(None)(alike)])
    for one, other in zip(plain.model.parameters(), masked.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-7)


def test_a_second_stage_learns_from_what_it_draws(monkeypatch: pytest.MonkeyPatch, tiny: Config) -> None:
    """Its network sees so many proposals of each sequence as it draws, by the seed and the number of the step."""
    monkeypatch.setitem(index.SETTINGS, "judging", "judging.JudgingSettings")
    monkeypatch.setitem(index.ARCHITECTURES, "judging", "judging.Judging")
    config = settings(tiny).replace(model={"detector": "judging"})
    every = torch.arange(20.0).view(10, 2)
    given = [one._replace(proposals=every[: 0 if i == 1 else 10]) for i, one in enumerate(samples())]
    seen: list[list[Any]] = []

    def judged(network: JudgingNetwork, x: Tensor, proposals: Tensor) -> Judged:
        seen[-1].append(proposals.tolist())
        return plain(network, x, proposals)

    plain = JudgingNetwork._judged
    monkeypatch.setattr(JudgingNetwork, "_judged", judged)
    for _ in range(2):
        trainer = Trainer(architecture_of(config).network(), config, steps_per_epoch=4)
        for _ in range(2):
            seen.append([])
            assert np.isfinite(trainer.step([Collate(None)(given)])["loss"])
    assert [len(one) for one in seen[0]] == [DRAWN, 0, DRAWN, DRAWN]
    assert seen[0] == seen[2] != seen[1] == seen[3]
