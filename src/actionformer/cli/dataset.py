"""`actionformer dataset`."""

from __future__ import annotations

import shlex
from pathlib import Path

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell
from actionformer.datasets.base import FEATURES
from actionformer.datasets.index import PRESETS


@verb(takes="name source out", example='dataset hapt "HAPT Data Set" data/hapt')
def dataset(recipe: Recipe) -> None:
    annotations = recipe()
    features = recipe.given["out"] / FEATURES
    for path in annotations:
        tell(f"annotations: {path}")
    if not features.is_dir():
        features = Path("FEATURES")
        tell("features: where you have downloaded them")
    else:
        tell(f"features: {features}")
    name = recipe.given["name"]
    options = shlex.join(["--annotations", str(annotations[0]), "--features", str(features), "--out", f"runs/{name}"])
    tell(f"train on it: actionformer train {PRESETS[name]} {options}")
