import mmap
import time

import pytest

from actionformer.core.memory import AnonymousPeak


def test_peak_memory_is_that_of_what_was_held() -> None:
    with AnonymousPeak() as peak:
        before = peak.mib
        if before is None:
            pytest.skip("this system does not tell a process' anonymous memory")
        with mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:  # no memory used before
            for _ in range(64):
                held.write(b"x" * (1 << 20))
            time.sleep(0.05)
    assert peak.mib is not None
    assert 60 < peak.mib - before < 200
