"""What is said where there is no cluster; tests of `test_cluster.py` start one."""

import sys

import pytest

from actionformer.cluster.pipeline import connected, through
from actionformer.core.errors import InputError


def test_without_ray_the_install_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    absent = connected("local")
    with (
        pytest.raises(InputError, match=r"a cluster needs ray\[data\]: pip install 'actionformer-tal\[cluster\]'"),
        absent,
    ):
        pass


def test_nothing_to_do_needs_no_cluster() -> None:
    assert list(through([], [])) == []
