"""All detectors side by side on real data, and ablations of one: writes benchmarks/results/compare_* and ablate_*

    python benchmarks/rivals.py [hapt] [salads] [gtea] [--detectors actionformer tridet ...] [--seeds 3] [--work FOLDER]
    python benchmarks/rivals.py hapt --detectors actionformer muses --proposer temporalmaxer
    python benchmarks/rivals.py gtea --ablate actionformer [--switches all levels=3 model.window=9]

What `actionformer compare` and `actionformer ablate` do with settings derived from the training videos; test videos are
looked at once a run, at the end. With --work runs are kept in that folder and a call that was stopped goes on; a later
one may add detectors, seeds or switches. Second stages judge what --proposer has found: in each training video, by a
model of the other folds; in test videos, by its own run of the first seed. Results of some detectors do not replace
those of all with --label, which their names have besides. With --epochs N it trains N epochs and writes nothing: to see
that it runs.

--keep puts all runs that are finished in --work among the results, without their weights (`kept_runs.py`). --kept
trains nothing and compares these and those in --work, however many seeds a detector has. What detection costs can only
be measured of runs in --work; of others the last table's figures stand.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from accuracy import DATA
from common import RESULTS, first_stages, read_result, shared_folder, write_result
from kept_runs import pack, unpack

from actionformer import ablate, compare, cross_validate
from actionformer.core.run_files import ABLATION, COMPARISON, DETECTIONS, OVERVIEW, SEED
from actionformer.core.terminal import plain_console
from actionformer.evaluation.bootstrap import DRAWS
from actionformer.evaluation.comparison import Costs
from actionformer.formats.detections import read_results, write_results
from actionformer.recipes.compare import TITLE, grouped
from actionformer.recipes.costs import Measuring, with_costs
from actionformer.recipes.evaluated import read_evaluated, report_of, write_report

FOLDS = {"hapt": 4, "salads": 4, "gtea": 3}
"""Of the training videos, for proposals; on GTEA a person each."""


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


def proposed(name: str, folder: Path, detector: str, **given: Any) -> Path:
    """Detections of all videos by models of a detector that have not learned from them."""
    compare(detector, out=folder / name, **given | {"seeds": 1})
    out = folder / f"{name}_{detector}_folds"
    settings = given["settings"] | {"model": {"detector": detector}}
    shared = {key: given[key] for key in ("annotations", "features", "console")}
    cross_validate("auto", out=out, folds=FOLDS[name], resume=out.is_dir(), settings=settings, **shared)
    found = [read_results(run / DETECTIONS) for run in (out, folder / name / detector / f"{SEED}0")]
    file = folder / f"{name}_proposals.json"
    write_results(file, found[0] | found[1])
    return file


def finished(name: str, folder: Path) -> list[Path]:
    """The runs of a comparison that have come to their end."""
    return sorted(file.parent for file in (folder / name).glob(f"*/{SEED}*/{OVERVIEW}"))


def compare_kept(name: str, folder: Path, annotations: Path, features: Path) -> None:
    """The table of all runs that are finished in a folder or kept among the results."""
    own = finished(name, folder)
    costs = {one["name"]: Costs(**one["costs"]) for one in read_result(f"compare_{name}").get("entries", ())}
    with tempfile.TemporaryDirectory() as temporary:
        others = unpack(name, Path(temporary), annotations, own)
        if not (own or others):
            sys.exit(f"{name}: no run is kept or finished: train some with --work, then --keep")
        entries = grouped([read_evaluated(run, annotations) for run in (*own, *others)])
        report = report_of(entries, draws=DRAWS)
        measurable = {one: runs for one, runs in entries.items() if runs[0].path in own}
        if measurable:
            kept = replace(report, entries=tuple(one for one in report.entries if one.name in measurable))
            measured = with_costs(kept, measurable, Measuring(features, False, False, "cpu"))
            costs |= {one.name: one.costs for one in measured.entries if one.costs}
            report = replace(report, measured=measured.measured)
    old = [one.name for one in report.entries if one.name not in measurable]
    note = [f"Costs of {', '.join(old)} are those of an earlier table."] if old else []
    report = replace(
        report,
        entries=tuple(replace(one, costs=costs.get(one.name)) for one in report.entries),
        notes=(*report.notes, *note),
    )
    (folder / name).mkdir(parents=True, exist_ok=True)
    write_report(report, folder / name / COMPARISON, TITLE)


def measure(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Compares, or ablates, on one data set."""
    training: dict[str, Any] = {"evaluate_every": 0}
    if options.precision:
        training["precision"] = options.precision
    if options.epochs:
        training |= {"epochs": options.epochs, "warmup_epochs": 0}
    given = {**prepared(name, folder), "seeds": options.seeds, "settings": {"training": training}}
    given["console"] = plain_console(sys.stderr)
    if options.proposer and not options.kept:
        given["proposals"] = proposed(name, folder, options.proposer, **given)
    if options.ablate:
        kind, out = ABLATION, folder / f"{name}_{options.ablate}"
        ablate(config=options.ablate, switches=options.switches, out=out, **given)
    elif options.kept:
        kind, out = COMPARISON, folder / name
        compare_kept(name, folder, given["annotations"], given["features"])
    else:
        kind, out = COMPARISON, folder / name
        compare(options.detectors, out=out, **given)
    print((out / f"{kind}.md").read_text("utf-8"), flush=True)
    if not options.epochs:
        keep(out, kind, "_".join(filter(None, (name, options.ablate, options.label))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detectors", nargs="+", default=first_stages(), help="by default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--proposer", help="a detector whose segments second stages judge")
    parser.add_argument("--ablate", help="a detector, a preset or a TOML file")
    parser.add_argument("--switches", nargs="+", default=["all"])
    parser.add_argument("--label", help="what the names of the results have besides")
    parser.add_argument("--keep", action="store_true", help="put what is finished in --work among the results")
    parser.add_argument("--kept", action="store_true", help="compare what was kept, or is finished in --work")
    parser.add_argument("--precision", help="number format of training: bfloat16 is faster on processors that have it")
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones; nothing is written")
    options = parser.parse_args()
    if options.keep and not options.work:
        parser.error("--keep needs --work, the folder of the runs")
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.data or list(DATA):
            if options.keep:
                for run in finished(name, options.work):
                    print(pack(run, name).relative_to(RESULTS.parent))
                continue
            measure(name, options.work or Path(temporary), options)


if __name__ == "__main__":
    main()
