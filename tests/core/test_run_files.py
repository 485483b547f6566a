"""The names of a run directory stand in one module, and are those of what training and evaluation write."""

import ast
from pathlib import Path

import actionformer
from actionformer.core import run_files
from actionformer.recipes.evaluate import evaluate

SOURCE = Path(actionformer.__file__).parent
NAMES = {value for name, value in vars(run_files).items() if name.isupper() and isinstance(value, str)}
WORDS = {run_files.BEST, run_files.EVENTS, run_files.FEATURES, run_files.RESUME, run_files.SEED}
WORDS |= {run_files.COMPARISON, run_files.ABLATION}
"""Names that are words of their own elsewhere."""


def test_no_other_module_spells_them() -> None:
    for path in SOURCE.rglob("*.py"):
        if path != Path(run_files.__file__):
            tree = ast.parse(path.read_text("utf-8"))
            texts = {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            assert not texts & (NAMES - WORDS), path


def test_they_are_all_that_a_run_has(run: Path) -> None:
    evaluate(run)
    of_others = {run_files.CLASSIFIER, run_files.PROPOSER, run_files.LABELS, *run_files.EXPORTS}
    assert {path.name for path in run.iterdir()} == set(run_files.RUN) - of_others
    assert {path.name for path in (run / run_files.BEST).iterdir()} == set(run_files.MODEL)
    assert [path.name for path in (run / run_files.RESUME).iterdir()] == [run_files.STATE]
