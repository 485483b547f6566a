"""All rules together: settings that can be, whatever the data, and the same ones as a file."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from facts import facts_of, values
from hypothesis import given
from hypothesis import strategies as st

from actionformer.advice.advised import advised
from actionformer.advice.facts import Facts
from actionformer.core.errors import InputError
from actionformer.core.terminal import rendered
from actionformer.data.settings import DataSettings
from actionformer.detectors.base import architecture_of
from actionformer.detectors.index import SETTINGS
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.loading import load_config

STEPS = st.lists(st.floats(0.01, 50_000), min_size=1, max_size=60)
LENGTHS = st.lists(st.integers(1, 200_000), min_size=1, max_size=60)


@given(STEPS, LENGTHS, st.sampled_from(list(SETTINGS)))
def test_any_data_give_settings_that_can_be_and_that_reach_every_action(
    steps: list[float], lengths: list[int], detector: str
) -> None:
    facts = facts_of(steps, lengths)
    said = advised(facts, {"model": {"detector": detector}})
    config = said.config
    if isinstance(config.model, PyramidSettings):
        ranges = config.model.regression_ranges
        assert ranges[0][0] == 0
        assert all(end >= start for (_, end), (start, _) in pairwise(ranges)), "no gap"
        assert ranges[-1][1] >= max(steps)
        assert config.model.max_length >= min(max(lengths), 2 * max(steps), 16_384)
    elif architecture_of(config).one_length:
        assert config.data.window == config.model.max_length >= min(max(lengths), 2 * max(steps), 256)
    else:
        assert config.model.max_length >= min(max(lengths), 4 * max(steps), 16_384)
    assert architecture_of(config).furthest >= min(max(steps), config.model.max_length) / 2
    again = advised(facts, {"model": {"detector": detector}})
    assert again == said


def test_a_file_gives_the_same_settings(tmp_path: Path) -> None:
    said = advised(facts_of(np.geomspace(3, 200, 50).tolist(), [900, 1200], axes=6), {"training": {"seed": 3}})
    path = tmp_path / "my.toml"
    path.write_text(said.to_toml(), "utf-8")
    assert load_config(path) == said.config
    text = path.read_text("utf-8")
    assert "# given\nseed = 3\n" in text
    assert all(f"# {one.reason}\n{one.setting} = " in text for one in said.advice)


def test_a_table_has_a_row_per_setting() -> None:
    said = advised(facts_of([10.0] * 20))
    lines = rendered(said.table(), 300).splitlines()
    assert len(lines) == 1 + len(said.advice)
    row = next(line for line in lines if "model.regression_ranges" in line)
    assert "0 4 4 8 8 10000" in row
    assert row.endswith("doubling per level; the last reaches the longest, 10 features")


def test_what_is_given_stays_and_the_rest_fits_it() -> None:
    facts = facts_of([10.0] * 20, [500] * 40)
    said = values(advised(facts, {"model": {"branch_blocks": 3}, "training": {"batch_size": 8}}))
    assert said["model.branch_blocks"] == 3
    assert said["model.regression_ranges"] == [[0, 4], [4, 8], [8, 16], [16, 10000]]
    assert said["training.epochs"] == 120  # of 140, at 5 steps each
    said = values(advised(facts, {"model": {"regression_ranges": [0, 4, 4, 100]}}))
    assert (said["model.branch_blocks"], said["model.regression_ranges"]) == (1, [[0, 4], [4, 100]])


def test_a_setting_that_the_detector_does_not_have_is_left_out() -> None:
    facts = facts_of()
    assert "model.dropout" in values(advised(facts))
    for detector in ("tridet", "temporalmaxer"):
        assert "model.dropout" not in values(advised(facts, {"model": {"detector": detector}}))


@pytest.mark.parametrize(
    ("section", "setting", "wrong", "message"),
    [
        ("training", "batch_size", 0, "training.batch_size: .* greater than or equal to 1, found 0"),
        ("training", "batch_size", "two", "training.batch_size: .* integer"),
        ("training", "batch_sise", 2, "unknown setting training.batch_sise, did you mean 'batch_size'"),
        ("model", "branch_blocks", 99_999, "model.branch_blocks: .* less than or equal to 16"),
        ("model", "width", 3, "width 3 does not divide into 4 attention heads"),
        ("model", "detector", "trident", "no detector 'trident', did you mean 'tridet'"),
        ("modle", "width", 3, "unknown setting modle, did you mean 'model'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(section: str, setting: str, wrong: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        advised(facts_of(), {section: {setting: wrong}})


def test_a_section_that_is_no_table_is_named() -> None:
    with pytest.raises(InputError, match=r"training: .*found 5"):
        advised(facts_of(), {"training": 5})  # type: ignore[dict-item]


def test_facts_without_an_action_that_lasts_are_refused() -> None:
    with pytest.raises(InputError, match="no action in the training subset to derive settings from"):
        Facts.of([], DataSettings())
