"""Verbs of several functions, and what their options are where nobody gives them."""

import inspect
from pathlib import Path

from commands import Command

from actionformer.cli.train import train
from actionformer.cli.verb import Recipe


def test_what_only_one_of_two_functions_needs_may_be_left_out(call: Command) -> None:
    options = inspect.signature(train).parameters
    assert options["folds"].default is None
    assert options["annotations"].default is inspect.Parameter.empty
    result = call("train", "small", "--annotations", "nowhere.json", "--features", ".", "--out", "x")
    assert (result.code, "nowhere.json" in result.err) == (2, True)


def test_a_value_is_as_given_or_the_default() -> None:
    given = Recipe("recipes.train:train", {"out": Path("mine")})
    assert given.value("out") == Path("mine")
    assert given.value("backbone") == "motion"
    assert given.value("validation") is None
