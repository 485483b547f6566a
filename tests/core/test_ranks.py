"""Processes alone, and what is refused; tests/training and tests/recipes start several."""

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from commands import Command
from torch import distributed
from waiting import until

from actionformer.core import ranks
from actionformer.core.errors import InputError

TORCHRUN = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


class Memory(dict[str, int]):
    """What torchrun keeps for all."""

    def add(self, key: str, amount: int) -> int:
        self[key] = self.get(key, 0) + amount
        return self[key]

    def set(self, key: str, value: str) -> None:
        self[key] = 0

    def check(self, keys: list[str]) -> bool:
        return all(key in self for key in keys)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the second of two."""
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)


def test_a_process_is_alone_without_torch() -> None:
    code = (
        "import sys; from actionformer.core import ranks\n"
        "with ranks.joined('cuda') as device: assert device == 'cuda'\n"
        "assert ranks.from_first(lambda: 3) == 3 and ranks.gathered(4) == [4] and ranks.add_up(None) is None\n"
        "assert ranks.first() and ranks.leads() and ranks.complains() and ranks.count() == 1\n"
        "ranks.begin('work'); assert not ranks.begun('work')\n"
        "assert ranks.mine('abc') == 'abc' and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_items_are_dealt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Memory()
    dealt = []
    for number in range(3):
        monkeypatch.setattr(ranks, "_joined", [ranks._Group(number, 3, store, store)])
        dealt.append(ranks.mine(range(7)))
        assert ranks.first() is (number == 0)
        assert ranks.complains() is (number == 0)  # the first that asks
    assert [list(one) for one in dealt] == [[0, 3, 6], [1, 4], [2, 5]]


def test_only_work_that_was_begun_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Memory()
    monkeypatch.setattr(ranks, "_joined", [ranks._Group(0, 1, store, store)])
    monkeypatch.setattr(ranks, "_begun_here", set())
    ranks.begin("runs/a")
    assert not ranks.begun("runs/a")  # nothing was started again
    monkeypatch.setattr(ranks, "_begun_here", set())  # as in another process
    assert ranks.begun("runs/a")
    assert not ranks.begun("runs/b")


def test_what_others_are_started_for(launched: None) -> None:
    assert ranks.launched() == 2
    assert not ranks.leads()
    assert ranks.first()  # of those that have joined, which is nobody
    assert ranks._own_device("cpu") == "cpu"
    assert ranks._own_device("cuda") == "cuda:1"
    with pytest.raises(InputError, match=r"device 'cuda:0': several processes compute on cpu or on cuda"):
        ranks._own_device("cuda:0")


def test_other_verbs_are_refused_by_the_first(call: Command, launched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("detect", "run", "features") == (2, "", "")
    monkeypatch.setenv("RANK", "0")
    line = "error: detect runs in one process: torchrun is for train and evaluate\n"
    assert call("detect", "run", "features") == (2, "", line)
    folds = call("train", "small", "--annotations", "a.json", "--features", "f", "--out", "o", "--folds", "3")
    assert folds == (2, "", "error: --folds trains models one after another in one process: leave out torchrun\n")


def met_by(memory: Any, number: int, count: int) -> Future[str]:
    return ThreadPoolExecutor(1).submit(ranks.meeting, memory, number, count)


def test_processes_of_one_start_have_a_name_that_those_before_did_not_have() -> None:
    memory: Any = distributed.HashStore()  # type: ignore[attr-defined]
    names = []
    for _ in range(2):
        started = [met_by(memory, number, 3) for number in (2, 0, 1)]
        (name,) = {one.result(20) for one in started}
        names.append(name)
    assert names[0] != names[1]


def test_who_was_started_in_place_of_another_is_waited_for() -> None:
    """What processes left that ended while they waited leads nobody astray, whichever it was."""
    memory: Any = distributed.HashStore()  # type: ignore[attr-defined]
    memory.set("actionformer/there/1", "one that has ended")
    first = met_by(memory, 0, 2)
    until(lambda: memory.check(["actionformer/invited/one that has ended"]))
    second = met_by(memory, 1, 2)
    assert first.result(20) == second.result(20)
    memory.set("actionformer/there/1", "nobody")
    third = met_by(memory, 1, 2)
    until(lambda: memory.get("actionformer/there/1") != b"nobody")
    own = memory.get("actionformer/there/1").decode()
    memory.set(f"actionformer/invited/{own}", "a first process that has ended")
    until(lambda: memory.check(["actionformer/came/a first process that has ended/1"]))
    assert met_by(memory, 0, 2).result(20) == third.result(20)
