"""From which tIoU on a verb and a noun of two models are one action: 50 Salads, split 1, whose labels name both.

    python benchmarks/pairing.py [--runs FOLDER] [--epochs 20]

One model learns the first words of the labels (`cut`, `place`, ...), another the second (`tomato`, ...), as those of
EPIC-Kitchens-100 do, whose features are not at hand. What they find in the test videos is paired as
`submission epic100` pairs it, from each of several tIoU on, and scored as actions at tIoU 0.1 to 0.5. Writes
benchmarks/results/pairing.json. Runs that are in the folder are not made again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import salads_features
from common import shared_folder, write_result

from actionformer import Detections, evaluate, load_config, read_results, score, train
from actionformer.datasets.submissions.epic100 import action_rows

LEAST = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
TIOU = "0.1:0.5:0.1"
WORDS = {"verb": 0, "noun": 1}


def relabelled(database: dict[str, Any], path: Path, words: slice) -> Path:
    """Annotations whose labels keep some of their words, such as `cut,tomato` of `cut_tomato`."""
    videos = {
        name: video | {"annotations": [{"segment": one["segment"], "label": ",".join(one["label"].split("_")[words])}
                                       for one in video["annotations"]]}
        for name, video in database.items()
    }  # fmt: skip
    path.write_text(json.dumps({"database": videos}))
    return path


def found(word: str, annotations: Path, features: Path, runs: Path, epochs: int) -> dict[str, Detections]:
    """What a model of the first or the second words finds in the test videos."""
    run = runs / word
    if not (run / "detections.json").is_file():
        config = load_config("salads", {"training": {"epochs": epochs, "evaluate_every": 0}})
        train(config, annotations, features, run)
        evaluate(run)
    return read_results(run / "detections.json")


def actions(verbs: Detections, nouns: Detections, least: float) -> Detections:
    """The pairs of a video, with `verb,noun` as the class."""
    rows = action_rows(verbs, nouns, least)
    names = sorted({f"{verbs.class_names[row['verb']]},{nouns.class_names[row['noun']]}" for row in rows})
    labels = [names.index(f"{verbs.class_names[row['verb']]},{nouns.class_names[row['noun']]}") for row in rows]
    segments = np.array([row["segment"] for row in rows]).reshape(-1, 2)
    return Detections(segments, [row["score"] for row in rows], labels, names)


def measured(folder: Path, runs: Path, epochs: int) -> dict[str, Any]:
    """Average mAP of the actions by the least tIoU of a pair, with that of verbs and of nouns."""
    source = shared_folder("data/salads") / "data" / "salads"
    features = folder / "features"
    features.mkdir()
    salads_features(source, features)
    database = json.loads((source / "annotations.json").read_text("utf-8"))["database"]
    files = {word: relabelled(database, folder / f"{word}.json", slice(i, i + 1)) for word, i in WORDS.items()}
    whole = relabelled(database, folder / "actions.json", slice(0, 2))
    each = {word: found(word, files[word], features, runs, epochs) for word in WORDS}
    figures: dict[str, Any] = {
        word: round(100 * score(files[word], each[word], subset="test", tiou=TIOU).average, 1) for word in WORDS
    }
    figures["actions"] = {
        str(least): round(100 * score(whole, pairs, subset="test", tiou=TIOU).average, 1)
        for least in LEAST
        for pairs in [{name: actions(one, each["noun"][name], least) for name, one in each["verb"].items()}]
    }
    return figures


def main() -> None:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, help="where the two runs are kept, or are already")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), options.runs or Path(folder), options.epochs)
    print(json.dumps(figures, indent=1))
    print(write_result("pairing", {"epochs": options.epochs, **figures}))


if __name__ == "__main__":
    main()
