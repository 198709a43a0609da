"""One process per state folder."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.persistence.lock import StateLock, is_held

HOLDER = """
import sys, time
from pathlib import Path
from crypto_bot.persistence.lock import StateLock
StateLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_told_who_has_the_folder_and_a_killed_one_frees_it(tmp_path: Path) -> None:
    folder = tmp_path / "State"
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    try:
        with pytest.raises(UsageError, match=rf"process {child.pid} is already running on {folder}") as caught:
            StateLock(folder).acquire()
        assert caught.value.exit_status == 2
        assert is_held(folder)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert not is_held(folder)
    with StateLock(folder):
        assert (folder / "lock").read_text() == f"{os.getpid()}\n"
        assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600


def test_a_lock_given_back_can_be_taken_again(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    lock = StateLock(tmp_path)
    for _ in range(2):
        lock.acquire()
        assert is_held(tmp_path)
        lock.release()
        lock.release()
        assert not is_held(tmp_path)
