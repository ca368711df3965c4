# SPDX-License-Identifier: Apache-2.0
"""The seal's picture: the same for every thread that draws it, whoever comes first."""

import subprocess
import sys

import pytest

from seals.appearance import demo_seal
from seals.presealing import UnsealableError

RACE = """
import sys, threading
sys.setswitchinterval(1e-6)
from seals.appearance import demo_seal
names = ["演示市市场监督管理局", "演示市交通运输局", "演示市综合行政执法局", "演示市自然资源和规划局"]
start, failures = threading.Barrier(8), []
def draw(name):
    start.wait()
    try:
        demo_seal(name)
    except Exception as error:
        failures.append(type(error).__name__)
threads = [threading.Thread(target=draw, args=(names[n % 4],)) for n in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(failures)
"""


def test_threads_that_draw_the_first_seals_of_a_process_at_once_all_succeed() -> None:
    # The font is read lazily: only a fresh process shows what a first use by several threads does.
    drawn = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=True)
    assert drawn.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["局", "长" * 31])
def test_a_name_that_does_not_fit_the_ring_is_refused(name: str) -> None:
    with pytest.raises(UnsealableError):
        demo_seal(name)
