"""Forms of a convolution over three moments, forward and in training: writes benchmarks/results/convolutions.json

    python benchmarks/convolutions.py [--threads N] [--repeats N] [--label NAME]

Direct (torch's own), as one product by a packed weight, and Winograd's (`nn/winograd.py`), each with its largest error
against float64. Forms take turns, and what is told is the fastest of each, as other programs only slow it. Run it on a
quiet machine. With --label, which their name has besides, results do not replace those of another kind of processor.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial

import torch
from common import fastest_seconds, write_result
from torch import Tensor

from actionformer.nn.layers import Conv, as_image
from actionformer.nn.packed import PackedConv, WinogradConv
from actionformer.nn.winograd import convolved, sums_of_weights

SIZES = [
    (2304, 2048, 512),
    *((moments, 512, 512) for moments in (2304, 1152, 576, 288, 72, 18)),
    *((moments, 256, 256) for moments in (2304, 576, 144)),
    (1152, 2048, 128),
    *((moments, 128, 128) for moments in (2304, 576, 144)),
]
"""Moments, input channels, output channels: those of THUMOS14's model, and of models for little data."""


def milliseconds(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least that each call takes."""
    return {name: 1000 * seconds for name, seconds in fastest_seconds(calls, repeats).items()}


def forward(conv: Conv, x: Tensor, repeats: int) -> dict[str, object]:
    """Of all forms, with errors."""
    forms = {"direct": conv, "packed": PackedConv(conv), "winograd": WinogradConv(conv)}
    with torch.inference_mode():
        exact = conv.double()(x.double())
        conv.float()
        errors = {name: (form(x) - exact).abs().max().item() for name, form in forms.items()}
        calls = {name: partial(form, x) for name, form in forms.items()}
        return {"ms": milliseconds(calls, repeats), "largest error": errors}


def training(conv: Conv, x: Tensor, repeats: int) -> dict[str, float]:
    """Forward and backward of the direct form and Winograd's."""
    weight = conv.weight.detach().clone().requires_grad_()

    def direct() -> None:
        image = weight.transpose(1, 2).unsqueeze(2)
        torch.nn.functional.conv2d(as_image(x), image, conv.bias, padding=(0, 1)).sum().backward()

    def winograd() -> None:
        convolved(x, sums_of_weights(weight), conv.bias).sum().backward()

    return milliseconds({"direct": direct, "winograd": winograd}, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--label", help="what the name of the results has besides")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    rows = []
    for moments, channels, width in SIZES:
        conv, x = Conv(channels, width, 3), torch.randn(1, moments, channels)
        row = {"moments": moments, "in": channels, "out": width, "forward": forward(conv, x, options.repeats)}
        learns = x.repeat(2, 1, 1).requires_grad_(channels == width)  # features take no gradient
        row["training, two sequences, ms"] = training(conv, learns, options.repeats)
        rows.append(row)
        print(row, flush=True)
    write_result("_".join(filter(None, ("convolutions", options.label))), {"threads": options.threads, "sizes": rows})


if __name__ == "__main__":
    main()
