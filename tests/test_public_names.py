"""What `import actionformer` gives."""

import pytest

import actionformer
from actionformer.cli import VERBS

NAMES = [
    "Action",
    "Backbone",
    "Config",
    "Detections",
    "Detector",
    "InputError",
    "Logger",
    "Progress",
    "Report",
    "SuppressionSettings",
    "ablate",
    "advise",
    "build",
    "calibrate",
    "classify",
    "compare",
    "convert",
    "cross_validate",
    "diagnose",
    "doctor",
    "ensemble",
    "evaluate",
    "export",
    "extract",
    "load",
    "load_backbone",
    "load_config",
    "pipeline",
    "push",
    "read_annotations",
    "read_results",
    "score",
    "self_train",
    "suppress",
    "train",
    "watch",
]


def test_the_exported_names() -> None:
    assert dir(actionformer) == sorted([*NAMES, "__version__"])
    for name in NAMES:
        assert getattr(actionformer, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'evalute'"):
        _ = actionformer.evalute


def test_the_former_name_of_evaluate_works_and_says_so() -> None:
    with pytest.warns(DeprecationWarning, match="evaluate_run is now called actionformer.evaluate") as caught:
        assert actionformer.evaluate_run is actionformer.evaluate
    assert [one.filename for one in caught] == [__file__]
    assert "evaluate_run" not in dir(actionformer)


def test_a_verb_and_its_function_are_one() -> None:
    both = {verb: functions for verb, functions in VERBS.items() if verb in dir(actionformer)}
    assert both.keys() == {
        "ablate",
        "calibrate",
        "classify",
        "compare",
        "convert",
        "diagnose",
        "doctor",
        "ensemble",
        "evaluate",
        "export",
        "extract",
        "push",
        "score",
        "train",
        "watch",
    }
    for verb, functions in both.items():
        function = getattr(actionformer, verb)
        assert f"actionformer.{functions[-1]}" == f"{function.__module__}:{function.__name__}"
