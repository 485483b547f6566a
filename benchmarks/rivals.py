"""All detectors side by side on real data, and ablations of one: writes benchmarks/results/compare_* and ablate_*

    python benchmarks/rivals.py [hapt] [salads] [gtea] [--detectors actionformer tridet ...] [--seeds 3] [--work FOLDER]
    python benchmarks/rivals.py gtea --ablate actionformer [--switches all levels=3 model.window=9]

What `actionformer compare` and `actionformer ablate` do with settings derived from the training videos; test videos are
looked at once a run, at the end. With --work runs are kept in that folder and a call that was stopped goes on; a later
one may add detectors, seeds or switches. With --epochs N it trains N epochs and writes nothing: to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from accuracy import DATA
from common import RESULTS, first_stages, shared_folder, write_result

from actionformer import ablate, compare
from actionformer.core.run_files import ABLATION, COMPARISON
from actionformer.core.terminal import plain_console


def prepared(name: str, folder: Path) -> dict[str, Path]:
    """Annotations and features of a data set, made where they are not there yet."""
    source = shared_folder(f"data/{name}") / "data" / name
    features = folder / f"{name}_features"
    if not features.is_dir():
        features.mkdir(parents=True)
        DATA[name].features(source, features)
    return {"annotations": DATA[name].annotations(source, folder / f"{name}.json"), "features": features}


def keep(out: Path, kind: str, name: str) -> None:
    """Puts the figures of a folder of runs among the results, with the machine that made them."""
    made = {COMPARISON: "compare", ABLATION: "ablate"}[kind]
    write_result(f"{made}_{name}", json.loads((out / f"{kind}.json").read_text("utf-8")))
    (RESULTS / f"{made}_{name}.md").write_text((out / f"{kind}.md").read_text("utf-8"), "utf-8")


def measure(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Compares, or ablates, on one data set."""
    training: dict[str, Any] = {"evaluate_every": 0}
    if options.epochs:
        training |= {"epochs": options.epochs, "warmup_epochs": 0}
    given = {**prepared(name, folder), "seeds": options.seeds, "settings": {"training": training}}
    console = plain_console(sys.stderr)
    if options.ablate:
        kind, out = ABLATION, folder / f"{name}_{options.ablate}"
        ablate(config=options.ablate, switches=options.switches, out=out, console=console, **given)
    else:
        kind, out = COMPARISON, folder / name
        compare(options.detectors, out=out, console=console, **given)
    print((out / f"{kind}.md").read_text("utf-8"), flush=True)
    if not options.epochs:
        keep(out, kind, f"{name}_{options.ablate}" if options.ablate else name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detectors", nargs="+", default=first_stages(), help="by default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ablate", help="a detector, a preset or a TOML file")
    parser.add_argument("--switches", nargs="+", default=["all"])
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones; nothing is written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.data or list(DATA):
            measure(name, options.work or Path(temporary), options)


if __name__ == "__main__":
    main()
