import mmap
import subprocess
import sys
import time

import pytest

from actionformer.core.memory import STATUS, AnonymousPeak


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


LIMITED = """
from actionformer.core.memory import limit_memory
limit_memory(64 << 20)
bytearray(32 << 20)
limit_memory(64 << 20)  # again, from what is held now
try:
    bytearray(128 << 20)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell what a process holds")
def test_a_process_takes_no_more_than_it_may() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], check=True, capture_output=True, text=True)
    assert done.stdout == "refused\n"
