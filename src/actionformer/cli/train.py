"""`actionformer train`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import complain, plain_console, tell


@verb(
    takes="config=preset",
    example="train auto --annotations annotations.json --features features/ --out runs/mine",
)
def train(recipe: Recipe) -> None:
    detector = recipe(console=plain_console())
    tell(f"model: {recipe.given['out']}")
    if (measured := detector.card.calibration) is not None:
        from actionformer.evaluation.calibration_table import in_a_line

        complain(in_a_line(measured))
