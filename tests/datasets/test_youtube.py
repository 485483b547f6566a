"""Ids of YouTube."""

import pytest

from actionformer.datasets.youtube import youtube_id


@pytest.mark.parametrize(
    ("name", "id_"),
    [("v_---9CpRcKoU", "---9CpRcKoU"), ("---9CpRcKoU", "---9CpRcKoU"), ("v_UmAH95xls", "v_UmAH95xls"),
     ("v_v_UmAH95xls", "v_UmAH95xls")],
)  # fmt: skip
def test_eleven_letters_are_the_id(name: str, id_: str) -> None:
    assert youtube_id(name) == id_
