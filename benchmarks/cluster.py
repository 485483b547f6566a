"""Jobs on a cluster of this machine: what survives, and what Ray costs; writes benchmarks/results/cluster.json.

    python benchmarks/cluster.py [--only survival nodes disk throughput] [--videos 2000] [--out FOLDER]

`survival`: short videos, 3 % of them broken, searched on a local cluster of two workers, while processes of the cluster
are killed at random, and once the call itself; then the same call again with --resume. Counts how often each video was
reported, and compares the detections with those of `detect` without a cluster. `nodes`: three nodes on this machine, of
which one is lost. `disk`: features go to a file system that is full; a second call finds room. It mounts one, as root.
`throughput`: videos a second of a worker on one core and of two on two, and of processes without Ray alike, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from common import read_result, write_result
from recordings import write_test_video

from actionformer.backbones import load_backbone
from actionformer.cluster.extract import making_of, making_steps, new_row
from actionformer.cluster.pipeline import connected, through
from actionformer.extraction.decoding import begin_worker
from actionformer.extraction.encode import layout_for
from actionformer.recipes.extract import extract

PARTS = ("survival", "nodes", "disk", "throughput")
BROKEN = 0.03
MOST_CALLS = 20
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""Of all calls, as of the processes of a cluster."""
PAUSE = 15.0
"""Seconds between two kills."""
FPS, SIZE = 10, (64, 48)
LAYOUT = ["--fps", str(FPS), "--num-frames", "4", "--stride", "2"]
REPEATS, TIMED, SECONDS = 3, 64, 10
"""Turns of each way, videos of a turn, seconds of a video."""
FIRST, LAST = TIMED // 4, TIMED * 7 // 8
"""Results between which a cluster is timed: its stages are full by then, and none has run out of videos yet."""


# --- survival


def write_short(path: Path, seed: int) -> Path:
    """A second or two of a square that moves."""
    rng = np.random.default_rng(seed)
    square = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for i in range(int(rng.integers(FPS, 2 * FPS + 1))):
            image = np.full((*SIZE[::-1], 3), 128, dtype=np.uint8)
            image[16:32, 2 * i : 2 * i + 16] = square[:, : SIZE[0] - 2 * i]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def damage(path: Path, kind: int) -> None:
    """Makes a video unreadable: cut, nothing, zeros, noise, or a text."""
    content = path.read_bytes()
    noise = np.random.default_rng(kind).integers(0, 256, len(content), dtype=np.uint8).tobytes()
    path.write_bytes((content[: len(content) // 2], b"", bytes(len(content)), noise, b"not a video\n")[kind % 5])


def write_archive(folder: Path, videos: int) -> tuple[Path, set[str], set[str]]:
    """A list of short videos; the ids of good ones and of broken ones."""
    folder.mkdir(parents=True)
    names = [f"v{number:05d}" for number in range(videos)]
    broken = set(random.Random(3).sample(names, round(BROKEN * videos)))
    for number, name in enumerate(names):
        write_short(folder / f"{name}.mp4", number)
    for number, name in enumerate(sorted(broken)):
        damage(folder / f"{name}.mp4", number)
    (folder / "list.txt").write_text("".join(f"{name}.mp4\n" for name in names))
    return folder / "list.txt", set(names) - broken, broken


def write_run(folder: Path) -> Path:
    """A detector that has seen a few of such videos."""
    some, labels, features, run = (folder / name for name in ("some", "annotations.json", "features", "run"))
    some.mkdir(parents=True)
    for number in range(3):
        write_short(some / f"s{number}.mp4", number)
    called("extract", some, "--backbone", "motion", "--out", features, *LAYOUT)
    database = {
        path.stem: {
            "subset": "training",
            "duration": json.loads(path.read_text())["duration"],
            "annotations": [{"segment": [0.2, 0.8], "label": "moves"}],
        }
        for path in features.glob("*.json")
    }
    labels.write_text(json.dumps({"database": database}))
    on = ["--data.test-subset", "training", "--training.epochs", "2", "--model.width", "32", "--model.num-heads", "2"]
    trained = called("train", "auto", "--annotations", labels, "--features", features, "--out", run, *on)
    assert trained.returncode == 0, trained.stderr
    return run


def called(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A call of the command line that has ended."""
    command = [sys.executable, "-m", "actionformer", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=ONE_THREAD)


def descendants(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    waiting = [process]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            yield child
            waiting.append(child)


def working(process: int) -> list[int]:
    """The actors of a job's cluster that are at work, and the processes that decode for them."""
    found = []
    for one in descendants(process):
        try:
            name = (Path("/proc") / str(one) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if name.startswith("ray::Map") or "forkserver" in name:
            found.append(one)
    return found


def survival(folder: Path, videos: int) -> dict[str, Any]:
    """Reports of each video under fire, and whether they are what `detect` finds in peace."""
    listed, good, broken = write_archive(folder / "videos", videos)
    run = write_run(folder)
    chance, kills, calls = random.Random(5), 0, 0
    out = folder / "found.jsonl"
    words = [sys.executable, "-m", "actionformer", "detect", str(run), str(listed), "--out", str(out), "--resume"]
    begun = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        while True:
            calls += 1
            job = subprocess.Popen([*words, "--cluster", "local", "--workers", "2"], stderr=log, env=ONE_THREAD)
            while job.poll() is None:
                time.sleep(PAUSE * chance.uniform(0.5, 1.5))
                if calls == 1 and out.exists() and out.read_bytes().count(b"\n") > 0.4 * videos:
                    job.kill()  # the call itself
                    job.wait()
                    kills += 1
                elif victims := working(job.pid):
                    os.kill(chance.choice(victims), signal.SIGKILL)
                    kills += 1
            if job.returncode in (0, 1) or calls == MOST_CALLS:
                break
    seconds = time.monotonic() - begun
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    times = Counter(line["video"] for line in lines)
    failed = [json.loads(line) for line in (folder / "found.jsonl.failed.jsonl").read_text().splitlines()]
    called("detect", str(run), str(listed.parent), "--out", str(folder / "peace.jsonl"))
    whole = [json.loads(line) for line in (folder / "peace.jsonl").read_text().splitlines()]
    peace = {line["video"]: line["detections"] for line in whole}
    return {
        "videos": videos,
        "broken": len(broken),
        "processes_killed": kills,
        "calls": calls,
        "exit_code": job.returncode,
        "seconds": round(seconds, 1),
        "good_once": sum(times[name] == 1 for name in good),
        "good_lost": sum(times[name] == 0 for name in good),
        "good_twice": sum(times[name] > 1 for name in good),
        "broken_named": len({one["video"] for one in failed} & broken),
        "good_named_broken": len({one["video"] for one in failed} - broken),
        "equal_to_detect_without_cluster": {one["video"]: one["detections"] for one in lines} == peace,
    }


def nodes(folder: Path, videos: int) -> dict[str, Any]:
    """A job on three nodes, one of which is lost on the way."""
    from ray.cluster_utils import Cluster

    listed, good, broken = write_archive(folder / "videos", videos)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    lost = cluster.add_node(num_cpus=1)
    out = folder / "features"
    words = ["extract", str(listed), "--backbone", "motion", "--out", str(out), *LAYOUT]
    job = subprocess.Popen(
        [sys.executable, "-m", "actionformer", *words, "--cluster", cluster.address], stderr=subprocess.PIPE, text=True
    )
    while job.poll() is None and len(list(out.glob("*.npy"))) < videos // 3:
        time.sleep(0.2)
    before = len(list(out.glob("*.npy")))
    cluster.remove_node(lost, allow_graceful=False)
    said = job.communicate()[1].splitlines()
    code, calls = job.returncode, 1
    if code not in (0, 1):
        calls += 1
        code = called(*words, "--cluster", cluster.address).returncode
    cluster.shutdown()
    failed = {json.loads(line)["video"] for line in (out / "failed.jsonl").read_text().splitlines()}
    made = {path.stem for path in out.glob("*.npy")}
    return {
        "videos": videos,
        "nodes": 3,
        "features_when_one_was_lost": before,
        "calls": calls,
        "exit_code": code,
        "said": "" if code in (0, 1) and calls == 1 else (said or [""])[-1],
        "all_good_ones_made": made == good,
        "all_broken_ones_named": failed == broken,
    }


def disk(folder: Path, videos: int) -> dict[str, Any]:
    """A job whose file system is full, and the same call once there is room."""
    listed, good, broken = write_archive(folder / "videos", videos)
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], check=True)
    try:
        words = ["extract", str(listed), "--backbone", "motion", "--out", str(small / "features"), *LAYOUT]
        words += ["--cluster", "local", "--workers", "2"]
        first = called(*words)
        before = len(list(small.glob("features/*.npy")))
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        second = called(*words)
        out = small / "features"
        failed = {json.loads(line)["video"] for line in (out / "failed.jsonl").read_text().splitlines()}
        return {
            "videos": videos,
            "exit_codes": [first.returncode, second.returncode],
            "said": first.stderr.splitlines()[-1].replace(str(folder), ""),
            "features_when_full": before,
            "all_good_ones_made": {path.stem for path in out.glob("*.npy")} == good,
            "all_broken_ones_named": failed == broken,
            "left_of_parts": len(list(out.glob(".*.part"))),
        }
    finally:
        subprocess.run(["umount", str(small)], check=True)


# --- throughput


def without_ray(videos: list[Path], processes: int, folder: Path) -> tuple[float, float]:
    """Videos a second of so many processes, each with its share, from when all are ready; processor seconds of each."""
    context = get_context("spawn")
    ready, times = context.Barrier(processes), context.Queue()
    shares = [videos[first::processes] for first in range(processes)]
    started = [
        context.Process(target=_share, args=(share, number, folder / str(number), ready, times))
        for number, share in enumerate(shares)
    ]
    for one in started:
        one.start()
    spans = [times.get() for _ in started]
    for one in started:
        one.join()
    seconds: float = max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans)
    return len(videos) / seconds, sum(used for *_, used in spans) / len(videos)


def _share(videos: list[Path], core: int, out: Path, ready: Any, times: Any) -> None:
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    begin_worker(0)  # which takes the threads from OpenCV
    extract(videos[:1], "motion", out / "warm", workers=0)
    ready.wait()
    begin, used = time.time(), time.process_time()
    extract(videos, "motion", out, workers=0)
    times.put((begin, time.time(), time.process_time() - used))


def processor_seconds() -> float:
    """Of this process, of all that it has started, and of those of their children that have ended."""
    ticks = 0
    for one in (os.getpid(), *descendants(os.getpid())):
        with suppress(OSError):
            ticks += sum(map(int, (Path("/proc") / str(one) / "stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def with_ray(videos: list[Path], workers: int, folder: Path) -> list[float]:
    """Of so many workers, on as many cores, between FIRST and LAST: videos a second, and processor seconds of each.

    Then the seconds until the cluster was there, and from there to the first result.
    """
    context = get_context("spawn")
    times = context.Queue()
    job = context.Process(target=_cluster, args=(videos, workers, folder, times))
    job.start()
    found: list[float] = times.get()
    job.join()
    return found


def _cluster(videos: list[Path], workers: int, folder: Path, found: Any) -> None:
    os.sched_setaffinity(0, set(range(workers)))  # of all that it starts, Ray's own processes too
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  by default workers stand back behind all else
    backbone = load_backbone("motion")
    making = making_of(backbone, layout_for(backbone), map(str, videos))
    rows = [new_row(video.stem, str(video), folder / f"{video.stem}.npy") for video in videos]
    begun = time.monotonic()
    with connected("local"):
        there = time.monotonic()
        results = through(rows, making_steps(making, 0.0, last=True), workers)
        times, used = zip(*((time.monotonic(), processor_seconds()) for _ in results), strict=True)
    done = LAST - FIRST
    rate, seconds = done / (times[LAST] - times[FIRST]), (used[LAST] - used[FIRST]) / done
    found.put([rate, seconds, there - begun, times[0] - there])


def throughput(folder: Path) -> dict[str, Any]:
    """Rates of one worker on a core and two on two, with Ray and without, in turns; their ratios."""
    first = write_test_video(folder / "0.mp4", SECONDS)
    videos = [first]
    for number in range(1, TIMED):
        videos.append(folder / f"{number}.mp4")
        os.link(first, videos[-1])
    rates: dict[str, list[float]] = {name: [] for name in ("plain_1", "plain_2", "ray_1", "ray_2")}
    seconds: dict[str, list[float]] = {name: [] for name in rates}
    waits = []
    for turn in range(REPEATS):
        for count in (1, 2):
            plain = without_ray(videos, count, folder / f"plain{turn}{count}")
            *ray, there, wait = with_ray(videos, count, folder / f"ray{turn}{count}")
            waits.append((there, wait))
            for name, (reached, used) in {f"plain_{count}": plain, f"ray_{count}": ray}.items():
                rates[name].append(reached)
                seconds[name].append(used)
            print({name: [round(one, 3) for one in some] for name, some in rates.items()}, flush=True)
    rate = {name: max(some) for name, some in rates.items()}  # what other work on the machine has disturbed least
    return {
        "backbone": "motion",
        "videos": TIMED,
        "seconds_of_each": SECONDS,
        "videos_per_second": rates,
        "processor_seconds_per_video": seconds,
        "of_linear_with_ray": rate["ray_2"] / (2 * rate["ray_1"]),
        "of_linear_without_ray": rate["plain_2"] / (2 * rate["plain_1"]),
        "two_with_ray_of_twice_one_without": rate["ray_2"] / (2 * rate["plain_1"]),
        "ray_of_plain": {count: rate[f"ray_{count}"] / rate[f"plain_{count}"] for count in (1, 2)},
        "seconds_until_a_local_cluster_is_there": round(min(there for there, _ in waits), 1),
        "seconds_from_there_to_the_first_result": round(min(wait for _, wait in waits), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--videos", type=int, default=2000, help="of `survival`; the others take a tenth")
    parser.add_argument("--out", type=Path, help="folder of the result; by default that of the project")
    options = parser.parse_args()
    for part in options.only:
        with tempfile.TemporaryDirectory() as folder:
            match part:
                case "survival":
                    figures = survival(Path(folder), options.videos)
                case "nodes":
                    figures = nodes(Path(folder), options.videos // 10)
                case "disk":
                    figures = disk(Path(folder), options.videos // 10)
                case "throughput":
                    figures = throughput(Path(folder))
        print(json.dumps({part: figures}, indent=1), flush=True)
        if options.out is None:
            write_result("cluster", {"parts": read_result("cluster").get("parts", {}) | {part: figures}})
        else:
            known = options.out / "cluster.json"
            parts = json.loads(known.read_text())["parts"] if known.exists() else {}
            write_result("cluster", {"parts": parts | {part: figures}}, options.out)


if __name__ == "__main__":
    main()
