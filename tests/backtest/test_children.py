"""Processes of a pool end with the command that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMAND = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from modelwarrant.cli.children import end_with_parent

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=end_with_parent) as pool:
        pool.submit(time.sleep, 600)
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def _is_gone(process: int) -> bool:
    """Return whether no process of that number runs; one that waits to be reaped does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_no_process_of_a_pool_outlives_a_killed_command(tmp_path: Path) -> None:
    """A backtest that is ended with SIGKILL leaves nobody computing for no one."""
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        child = int(command.stdout.readline())
        os.kill(command.pid, signal.SIGKILL)
    limit = time.monotonic() + 30
    while not _is_gone(child) and time.monotonic() < limit:
        time.sleep(0.05)

    assert _is_gone(child)
