"""CUDA graphs: what they need of lengths runs anywhere; recording itself only where there is a GPU."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from variants import VARIANTS, make, published_length, small_settings

from actionformer.inference import graphs as module
from actionformer.inference.graphs import Graphs, bucket
from actionformer.inference.runner import Runner
from actionformer.settings.config import Config


@given(length=st.integers(1, 10**6))
def test_buckets_are_few_and_hardly_longer(length: int) -> None:
    assert length <= bucket(length) <= max(length * 9 / 8, length + 63)
    assert bucket(bucket(length)) == bucket(length)


def test_there_are_few_buckets() -> None:
    assert len({bucket(length) for length in range(1, 32769)}) < 80


@pytest.mark.parametrize("padding", ["exact", "published"])
@pytest.mark.parametrize("name", ["plain", "fpn", "convolution", "relative", "global", "trident", "tridet"])
def test_padding_to_the_length_of_a_graph_changes_nothing(name: str, padding: str) -> None:
    model = make(**VARIANTS[name], mask_padding=padding)
    settings = small_settings(**VARIANTS[name], mask_padding=padding)
    runner = Runner(model, Config().replace(model=settings.model_dump()), torch.device("cpu"))
    for length in (5, 63, 64, 65, 200, 700):
        plain = length if padding == "exact" else published_length(length, settings)
        x = torch.randn(1, plain, 6, generator=torch.Generator().manual_seed(length))
        outputs = []
        for padded in (plain, runner.graph_length(length)):
            features = torch.zeros(1, padded, 6)
            features[:, :length] = x[:, :length]
            with torch.inference_mode():
                outputs.append(model(features, torch.arange(padded)[None] < length))
        for level, stride in enumerate(settings.strides):
            moments = -(-length // stride)
            for one, other in ((outputs[0].logits, outputs[1].logits), (outputs[0].offsets, outputs[1].offsets)):
                torch.testing.assert_close(one[level][:, :moments], other[level][:, :moments], rtol=1e-5, atol=1e-5)


class FakeCuda:
    """Replays by calling the model again, as a GPU would run its kernels again, on the same tensors."""

    def __init__(self, model: Any) -> None:
        self.model, self.replays = model, 0
        self.passes: list[Any] = []

    def graph(self, graph: Any) -> Any:
        graph.index = len(self.passes)
        return nullcontext()

    def CUDAGraph(self) -> Any:  # noqa: N802
        graph = SimpleNamespace(index=-1)

        def replay() -> None:
            self.replays += 1
            features, valid, outputs = self.passes[graph.index]
            for levels, fresh in zip(outputs, self.model(features, valid), strict=True):
                for old, new in zip(levels, fresh, strict=True):
                    old.copy_(new)

        graph.replay = replay
        return graph

    def Stream(self) -> Any:  # noqa: N802
        return SimpleNamespace(wait_stream=lambda other: None)

    current_stream = Stream

    def stream(self, stream: Any) -> Any:
        return nullcontext()


@torch.inference_mode()
def test_a_graph_is_recorded_once_a_shape_and_fed_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    cuda = FakeCuda(model)

    def recording(features: torch.Tensor, valid: torch.Tensor) -> Any:
        outputs = model(features, valid)
        cuda.passes.append((features, valid, outputs))
        return outputs

    monkeypatch.setattr(torch, "cuda", cuda)
    monkeypatch.setattr(module, "KEPT", 2)
    graphs = Graphs(recording)  # type: ignore[arg-type]
    for seed, length in enumerate((64, 128, 64, 64, 192, 128)):
        x = torch.randn(1, length, 6, generator=torch.Generator().manual_seed(seed))
        valid = torch.arange(length)[None] < length - seed
        for found, expected in zip(graphs(x, valid), model(x, valid), strict=True):
            torch.testing.assert_close(found, expected)
    assert cuda.replays == 6
    assert len(graphs.graphs) == 2
    assert {key[1] for key in graphs.graphs} == {192, 128}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="recording needs a GPU, and there is none")
@torch.inference_mode()
def test_a_recorded_pass_says_what_the_model_says() -> None:
    model = make().cuda()
    graphs = Graphs(model)
    for seed, length in enumerate((64, 128, 64)):
        x = torch.randn(1, length, 6, device="cuda")
        valid = torch.arange(length, device="cuda")[None] < length - 3 * seed
        for found, expected in zip(graphs(x, valid), model(x, valid), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
