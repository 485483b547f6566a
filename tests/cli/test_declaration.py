"""What a function's source says of it is what Python says of the function."""

import inspect
from importlib import import_module

import pytest

from actionformer.cli import VERBS
from actionformer.cli.declaration import REQUIRED, read_declaration
from actionformer.cli.options import options_of

FUNCTIONS = sorted({function for functions in VERBS.values() for function in functions})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_names_and_defaults_are_those_of_the_function(function: str) -> None:
    module, _, name = function.partition(":")
    real = inspect.signature(getattr(import_module(f"actionformer.{module}"), name))
    declared = read_declaration(function)
    assert {name: one.default for name, one in real.parameters.items()} == {
        name: one.default for name, one in declared.parameters.items()
    }
    assert declared.text


def test_a_declaration() -> None:
    found = read_declaration("recipes.extract:extract")
    assert found.text.startswith("Turns videos into features to train on and detect in, each with a sidecar that says")
    assert found.text.count("\n\n") == 1
    assert "Args" not in found.text
    assert found.parameters["out"].default is REQUIRED
    assert found.parameters["out"].kinds == ("str", "Path")
    assert found.parameters["out"].text == "The folder to write."
    assert found.parameters["last_clip"].choices == ("pad", "drop")
    assert found.parameters["last_clip"].default == "pad"
    assert found.parameters["backbone"].text.endswith("huggingface, with :ID or :FOLDER after it.")  # several lines


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_is(verb: str) -> None:
    declarations = [read_declaration(function) for function in VERBS[verb]]
    texts = {name: one.text for each in reversed(declarations) for name, one in each.parameters.items() if one.text}
    options = [option.name for option in options_of(declarations, "", {}, ())]
    assert set(options) <= texts.keys()
    for name in options:
        assert texts[name].endswith(".")
        assert texts[name][0] == texts[name][0].upper()


def test_options_in_their_order_and_what_no_command_line_can_give() -> None:
    declarations = [read_declaration(function) for function in VERBS["watch"]]
    options = list(options_of(declarations, "run source", {}, ("suppression",)))
    assert [one.name for one in options[:4]] == ["run", "source", "out", "format"]
    assert {one.kind for one in options[:2]} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert {one.kind for one in options[2:]} == {inspect.Parameter.KEYWORD_ONLY}
    names = [one.name for one in options]
    assert "settings" in names
    assert "console" not in names
    assert len(names) == len(set(names))
