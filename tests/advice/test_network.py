"""How wide the network is."""

import pytest
from facts import facts_of, reason, value


@pytest.mark.parametrize(
    ("actions", "width", "dropout"),
    [(1, 128, 0.1), (2_000, 128, 0.1), (2_001, 256, None), (10_000, 256, None), (10_001, 512, None)],
)
def test_more_actions_make_a_wider_network(actions: int, width: int, dropout: float | None) -> None:
    facts = facts_of([5.0] * actions)
    assert value("model.width", facts) == width
    assert value("model.dropout", facts) == dropout


def test_what_a_detector_is_used_with_stays() -> None:
    muses: dict[str, object] = {"detector": "muses"}
    assert value("suppression.method", facts_of(), model=muses) == "hard"
    assert reason("suppression.method", facts_of(), model=muses) == "what muses is used with, whatever the data"
    assert value("suppression.method", facts_of()) is None
