"""Speed of everything, against the floor of its arithmetic where it has one; writes benchmarks/results/speed.*

    python benchmarks/speed.py [--only forward,start] [--quick] [--out FOLDER]

The floor is the time that the machine's own matrix products would take for as many multiplications, measured in the
same process, in turns with what is timed (`floor.py`). Every case runs in a process of its own; times are medians of 7
runs, of 3 where one takes more than 8 s and of a single one above 30 s; what does not fit into memory is left out. Run
it on a quiet machine: it takes about half an hour.

Only a whole run writes benchmarks/results/; with --only or --quick, figures are written where --out says, or nowhere.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from common import RESULTS, write_result
from parts import PARTS, Case, Row, measure

PRECISIONS = ("float32", "bfloat16")
LENGTHS = (300, 2304, 13_824, 108_000)
BATCHES = (1, 4, 16)
HOURS = {1: 27_000, 24: 648_000}  # features of THUMOS14
MOST_MOMENTS = {"cpu": 4 * 13_824, "cuda": 16 * 13_824}  # of a batch; a CPU runs larger ones one after another
OTHER_SHAPES = (("activitynet_tsp", 192, 1), ("activitynet_tsp", 192, 16), ("epic100_noun", 2304, 1))


def cases() -> Iterator[Case]:
    """Every line of the table."""
    for precision in PRECISIONS:
        yield from network_cases("cpu", precision)
    for precision in PRECISIONS if torch.cuda.is_available() else ():
        yield from network_cases("cuda", precision)
    if not torch.cuda.is_available():
        yield Case("forward", device="cuda")  # to say so
    for length in HOURS.values():
        yield Case("memory", length=length)
    for length in LENGTHS[1:3]:
        yield Case("decode", "20 classes", length)
    for classes in ("20 classes", "one class"):
        yield Case("suppress", classes, 12_000)
    yield Case("evaluate", "thumos14", batch=212)
    yield Case("evaluate", "ActivityNet's size", batch=4926)
    yield Case("start")
    yield Case("start", length=100)
    yield Case("folder", length=300, batch=200)


def network_cases(device: str, precision: str) -> Iterator[Case]:
    """Products, forward passes, detection and training on one device in one precision."""

    def case(part: str, of: str = "thumos14_i3d", length: int = 0, batch: int = 1, padding: str = "exact") -> Case:
        return Case(part, of, length, batch, precision, device, padding)

    yield case("product", "the network's shapes")
    for length in LENGTHS:
        for batch in BATCHES:
            if batch == 1 or length * batch <= MOST_MOMENTS[device]:
                yield case("forward", length=length, batch=batch)
    for length in LENGTHS[:3] if device == "cpu" else ():
        yield case("plain", length=length)
    for preset, length, batch in OTHER_SHAPES:
        yield case("forward", preset, length, batch)
    for length in LENGTHS:
        yield case("detect", length=length)
    yield case("detect", length=300, padding="published")
    yield case("train", length=2304, batch=2)


def quick_cases() -> Iterator[Case]:
    """One small case a part, to see that all of them run."""
    for precision in PRECISIONS:
        yield Case("forward", length=64, batch=2, precision=precision)
    yield Case("forward", length=64, device="cuda")
    yield Case("plain", length=64)
    yield Case("product", "the network's shapes")
    yield Case("detect", length=64)
    yield Case("memory", length=5000)
    yield Case("decode", "20 classes", 300)
    yield Case("suppress", "one class", 12_000)
    yield Case("evaluate", "thumos14", batch=212)
    yield Case("train", "activitynet_tsp", length=192, batch=2)
    yield Case("start")
    yield Case("start", length=100)
    yield Case("folder", length=40, batch=3)


def run(case: Case) -> Row:
    """The figures of a case, from a process of its own; one that fails is said in its row, and costs no other."""
    command = [sys.executable, __file__, "--case", json.dumps(asdict(case))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return asdict(case) | {"not_measured": "killed: more memory than there is"}
    if done.returncode:
        return asdict(case) | {"not_measured": f"failed with exit code {done.returncode}"}
    figures: Row = json.loads(done.stdout)
    return asdict(case) | figures


def ratios(rows: list[Row]) -> dict[str, float]:
    """Time per step at the greatest length relative to the second, of single sequences."""
    found: dict[str, float] = {}
    per_step = {
        (row["part"], row["device"], row["precision"], row["length"]): row["ms"] / row["length"]
        for row in rows
        if row["part"] in ("forward", "detect") and row["batch"] == 1 and "ms" in row
    }
    long, longest = LENGTHS[-2:]
    for (part, device, precision, length), value in per_step.items():
        if length == longest and (part, device, precision, long) in per_step:
            found[f"{part}, {device}, {precision}"] = value / per_step[part, device, precision, long]
    return found


# --- the table

HEAD = (
    "| part | of | length | batch | precision | device | ms | floor, ms | x floor | x linear's | MiB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n"
)
LEGEND = """
- ms: median of 7 runs unless said otherwise
- x floor: by the fastest product that the machine has; x linear's: by torch's plain `linear`
- MiB: peak of what the process holds without mapped files; of a start, with them; on a GPU, of what torch holds there
"""


def table(rows: list[Row], steps: dict[str, float]) -> str:
    """Markdown: a line a case, then what the columns mean, the rates of the products, and shares."""
    lines = [line(row) for row in rows if row["part"] != "product"]
    notes = [product_rates(row) for row in rows if row["part"] == "product"]
    notes += [
        f"- time per step at {LENGTHS[-1]:,} relative to {LENGTHS[-2]:,} ({name}): {value:.2f}"
        for name, value in steps.items()
    ]
    peaks = {row["length"]: row["peak_mib"] for row in rows if row["part"] == "memory" and row.get("peak_mib")}
    if peaks.keys() >= set(HOURS.values()):
        notes.append(f"- peak memory at 24 h relative to 1 h: {peaks[HOURS[24]] / peaks[HOURS[1]]:.2f}")
    notes += [
        f"- a folder of {row['batch']} files: {row['forward_share']:.0%} of the time is the network's"
        for row in rows
        if "forward_share" in row
    ]
    return HEAD + "".join(lines) + LEGEND + "".join(f"{note}\n" for note in notes)


def line(row: Row) -> str:
    """One case, a cell a column; what has no figure says why."""
    of = row["of"] + (", published padding" if row["padding"] == "published" else "")
    if row["part"] == "start":
        of = f"detect, {of}" if row["length"] else "--help"
    length = f"{row['length']:,}" if row["length"] else ""
    cells = [row["part"], of, length, str(row["batch"]), row["precision"], row["device"]]
    if "not_measured" in row:
        cells += [f"not measured: {row['not_measured']}", "", "", "", ""]
    else:
        cells += [
            number(row.get("ms")) + {1: " (1 run)", 3: " (3 runs)"}.get(row["repeats"], ""),
            number(row.get("floor_ms")),
            f"{row['times_floor']:.2f}" if "times_floor" in row else "",
            f"{row['times_linear']:.2f}" if "times_linear" in row else "",
            f"{row['peak_mib']:,.0f}" if row.get("peak_mib") is not None else "",
        ]
    return "| " + " | ".join(cells) + " |\n"


def number(value: float | None) -> str:
    """Three digits or more."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def product_rates(row: Row) -> str:
    """What the machine's products reach."""
    kinds = (f"{rate:,.0f} GFLOP/s by {kind} ({row['shapes'][kind]})" for kind, rate in row["gflops"].items())
    return f"- products in {row['precision']} on {row['device']}: {', '.join(kinds)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"parts to run, with commas between: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="one small case a part, once: to see that it runs")
    parser.add_argument("--out", type=Path, help="where to write speed.json and speed.md")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(Case(**json.loads(options.case)))))
        return
    only = set(options.only.split(",")) if options.only else set(PARTS)
    if unknown := only - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    wanted = [replace(case, repeats=1) for case in quick_cases()] if options.quick else list(cases())
    rows: list[Row] = []
    for case in wanted:
        if case.part in only:
            rows.append(run(case))
            print(line(rows[-1]), end="", flush=True)
    steps = ratios(rows)
    text = table(rows, steps)
    print("\n" + text)
    whole = not options.quick and not options.only
    if folder := options.out or (RESULTS if whole else None):
        write_result("speed", {"threads": torch.get_num_threads(), "rows": rows, "per_step": steps}, folder)
        (folder / "speed.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
