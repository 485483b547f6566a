"""What a function's source says of it is what Python says of the function."""

import inspect
from importlib import import_module
from typing import Any, get_args

import pytest

from actionformer.cli import VERBS, python_name
from actionformer.cli.declaration import read_declaration

FUNCTIONS = sorted({function for functions in VERBS.values() for function in functions})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_names_and_defaults_are_those_of_the_function(function: str) -> None:
    module, _, name = function.partition(":")
    real = inspect.signature(getattr(import_module(f"actionformer.{module}"), name)).parameters
    declared = read_declaration(function)
    assert declared.text
    assert declared.names == set(real)
    assert declared.names - set(declared.options) <= {"settings", "console", "on_progress"}
    for name, option in declared.options.items():
        assert option.default == real[name].default or (option.default, real[name].default) == (None, ())


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_is(verb: str) -> None:
    command = getattr(import_module(f"actionformer.cli.{python_name(verb)}"), python_name(verb))
    options = {name: one for name, one in inspect.signature(command).parameters.items() if name != "settings"}
    assert options
    for name, option in options.items():
        text = " ".join(one.help for one in get_args(option.annotation)[1:] if one.help)
        assert text.endswith("."), name
        assert text[0] == text[0].upper(), name
    assert f"Example: actionformer {verb}" in (command.__doc__ or "")


def test_a_declaration() -> None:
    found = read_declaration("recipes.extract:extract")
    assert found.text.startswith("Turns videos into features to train on and detect in, each with a sidecar that says")
    assert found.text.count("\n\n") == 1
    assert "Args" not in found.text

    def kind_and_text(name: str) -> Any:
        kind, how = get_args(found.options[name].annotation)
        return kind, how.help

    assert kind_and_text("fps")[0] == float | None
    assert get_args(kind_and_text("last_clip")[0]) == ("pad", "drop")
    assert kind_and_text("out")[1] == "The folder to write."
    assert kind_and_text("backbone")[1].endswith("such as keypoints:tailbase/neck.")  # several lines


def test_options_of_two_functions_in_their_order() -> None:
    from actionformer.cli.watch import watch

    options = inspect.signature(watch).parameters
    assert list(options)[:4] == ["run", "source", "out", "format"]
    assert list(options)[-1] == "settings"
    assert "Leave out detections with a lower score" in str(options["min_score"].annotation)
    assert "rtsp://" in str(options["source"].annotation)
