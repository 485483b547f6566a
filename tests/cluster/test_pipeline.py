"""What is said where there is no cluster; tests of `test_cluster.py` start one."""

import sys

import pytest

from actionformer.cluster.pipeline import Step, actors_of, connected, through
from actionformer.cluster.stages import Decode, Encode
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


def test_a_worker_is_an_actor_of_each_step_where_there_is_room() -> None:
    decode, encode = Step(Decode), Step(Encode, gpus=0.25)
    there = {"CPU": 16.0, "GPU": 2.0}
    assert actors_of(decode, there, None, 1000) == (16, 16)
    assert actors_of(encode, there, None, 1000) == (8, 8)
    assert actors_of(encode, there, 4, 1000) == (4, 4)
    assert actors_of(decode, there, 64, 1000) == (16, 64)  # a cluster may grow
    assert actors_of(decode, there, None, 3) == (3, 3)
    assert actors_of(decode, {"CPU": 0.5}, None, 3) == (1, 1)
    with pytest.raises(InputError, match="the cluster has no GPU for a worker"):
        actors_of(encode, {"CPU": 16.0}, None, 1000)
    with pytest.raises(InputError, match="workers of a cluster must be at least 1, found 0"):
        actors_of(decode, there, 0, 1000)
