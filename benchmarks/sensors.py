"""Readings of sensors for a day become features: seconds and peak memory; writes benchmarks/results/sensors.json.

    python benchmarks/sensors.py [--hours 24] [--only csv npy parquet]

Six channels and a column of times at 50 a second, 4.32 million rows a day, as windows of 50 every 25. Seconds of the
processor are those of both processes, which depend less on what else runs. Memory is the peak of each process, for
an hour and for the hours that are given, so that it shows whether it grows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import write_result
from numpy.typing import NDArray

RATE = 50
NAMES = ("time_s", "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
PIECE = RATE * 3600


def readings(hour: int) -> NDArray[np.float64]:
    """The rows of an hour, (180000, 7)."""
    times = (np.arange(PIECE) + hour * PIECE) / RATE
    return np.column_stack([times, np.random.default_rng(hour).standard_normal((PIECE, 6))])


def write_csv(path: Path, hours: int) -> None:
    with path.open("w") as file:
        file.write(",".join(NAMES) + "\n")
        for hour in range(hours):
            np.savetxt(file, readings(hour), "%.4f", ",")


def write_npy(path: Path, hours: int) -> None:
    array = np.lib.format.open_memmap(path, "w+", np.float64, (hours * PIECE, 7))
    for hour in range(hours):
        array[hour * PIECE : (hour + 1) * PIECE] = readings(hour)


def write_parquet(path: Path, hours: int) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(path, pyarrow.schema([(name, pyarrow.float64()) for name in NAMES])) as file:
        for hour in range(hours):
            file.write_table(pyarrow.table(dict(zip(NAMES, readings(hour).T, strict=True))))


WRITERS: dict[str, Callable[[Path, int], None]] = {"csv": write_csv, "npy": write_npy, "parquet": write_parquet}
# VmHWM: ru_maxrss of a process counts what its parent had.
EXTRACT = """
import json, re, resource, sys, time
from pathlib import Path
from actionformer import extract
columns = dict(columns="2 3 4 5 6 7".split(), time_column="1") if sys.argv[1].endswith("npy") else {}
begin = time.perf_counter()
extract(sys.argv[1], "windows", sys.argv[2], workers=1, **columns)
seconds = time.perf_counter() - begin
used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
processor = sum(one.ru_utime + one.ru_stime for one in used)
memory = {"main_mib": own / 1024, "reading_mib": used[1].ru_maxrss / 1024}
print(json.dumps({"seconds": seconds, "processor_seconds": processor, **memory}))
"""


def measured(kind: str, hours: int, folder: Path) -> dict[str, Any]:
    """Seconds and peak memory, MiB, of extraction from a file of so many hours."""
    path = folder / f"{hours}.{kind}"
    WRITERS[kind](path, hours)
    command = [sys.executable, "-c", EXTRACT, str(path), str(folder / f"out_{kind}_{hours}")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    path.unlink()
    return {"kind": kind, "hours": hours, **json.loads(done.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--only", nargs="+", choices=WRITERS, default=list(WRITERS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = [measured(kind, hours, Path(name)) for kind in options.only for hours in (1, options.hours)]
    for row in rows:
        print({key: value if isinstance(value, str) else round(value, 1) for key, value in row.items()})
    write_result("sensors", {"rate": RATE, "channels": 6, "files": rows})


if __name__ == "__main__":
    main()
