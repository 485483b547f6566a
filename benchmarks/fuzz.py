"""A coverage-guided fuzzer on every reader of files: no traceback, no hang, little memory.

    python benchmarks/fuzz.py --seconds 600 --jobs 2 --keep
    python benchmarks/fuzz.py --only labels config --seconds 60

It needs atheris, from PyPI. Every reader of tests/support/readers.py gets files that atheris (libFuzzer) makes of valid
ones, towards lines of `actionformer` that none has reached before. A finding is anything but an InputError or an
OSError, a file that takes longer than 10 seconds, a process above 2 GiB, and a process that is killed. Findings lie
under --out; what is mended belongs into tests/fuzz/corpus/READER, whose files tests/fuzz/test_corpus.py reads. A call
with the --out of an earlier one goes on from the files that it made. --keep writes each reader's figures into
benchmarks/results as soon as they are there, beside those of readers that were not asked for.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "support"))
LONGEST, MOST_MIB, LARGEST = 10, 2048, 65_536
"""Seconds for a file, memory of a process, bytes of a file."""


def child(name: str, seconds: int, out: Path) -> None:
    """Fuzzes one reader in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["actionformer"]):
        from readers import READERS

    reader = READERS[name]
    corpus, findings = out / "corpus" / name, out / "findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in reader.seeds():
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    place = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)) / reader.file

    def one(data: bytes) -> None:
        place.write_bytes(data)
        try:
            reader.refuses(place)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__}-{Path(where.filename).stem}-{where.lineno}"
            if not (findings / kind).exists():
                (findings / kind).write_bytes(data)
                (findings / f"{kind}.txt").write_text(traceback.format_exc(), "utf-8")

    limits = {"timeout": LONGEST, "rss_limit_mb": MOST_MIB, "max_len": LARGEST, "max_total_time": seconds}
    options = {**limits, "artifact_prefix": f"{findings}/", "print_final_stats": 1}
    atheris.Setup([sys.argv[0], str(corpus), *(f"-{key}={value}" for key, value in options.items())], one)
    atheris.Fuzz()


def fuzzed(name: str, seconds: int, out: Path) -> dict[str, Any]:
    """Figures of one reader; a process that a finding ends is begun again until the time is over."""
    begun, runs, peak = time.monotonic(), 0, 0
    while (left := seconds - int(time.monotonic() - begun)) > 2:
        command = [sys.executable, __file__, "--child", name, "--seconds", str(left), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        (out / f"{name}.log").write_text(done.stderr, "utf-8")
        runs += _statistic(done.stderr, "number_of_executed_units") or _last_run(done.stderr)
        peak = max(peak, _statistic(done.stderr, "peak_rss_mb"))
        if not runs:
            sys.exit(f"{name}: {done.stderr[-2000:]}")
    found = sorted(path.name for path in (out / "findings" / name).iterdir() if path.suffix != ".txt")
    return {"seconds": round(time.monotonic() - begun), "files": runs, "peak_mib": peak, "findings": found}


def _statistic(log: str, name: str) -> int:
    found = re.search(rf"stat::{name}:\s+(\d+)", log)
    return int(found[1]) if found else 0


def _last_run(log: str) -> int:
    return max((int(number) for number in re.findall(r"^#(\d+)\s", log, re.MULTILINE)), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="for each reader")
    parser.add_argument("--only", nargs="+", default=None, help="these readers")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "actionformer_fuzz")
    parser.add_argument("--jobs", type=int, default=1, help="readers at a time")
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.seconds, given.out)
        return
    from common import read_result, write_result  # not before: what is imported earlier cannot be instrumented
    from readers import READERS

    names = given.only or list(READERS)
    given.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        for name, figures in zip(
            names, pool.map(lambda name: fuzzed(name, given.seconds, given.out), names), strict=True
        ):
            print(name, figures, flush=True)
            if given.keep:
                write_result("fuzz", {"readers": read_result("fuzz").get("readers", {}) | {name: figures}})


if __name__ == "__main__":
    main()
