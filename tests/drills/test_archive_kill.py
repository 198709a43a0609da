"""Real processes killed and disks filled in the middle of a write: the archive is old or new, never half."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crypto_bot.data import Archive
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.market import Candles
from tests.made_candles import chosen, equal, made, snapshot

ROOT = Path(__file__).resolve().parent.parent.parent
CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
"""What the interpreter announces before it changes files."""


def whole() -> Candles:
    """Return bars in three months, of which every store below changes all."""
    return made(6 * 62, timeframe="4h", start="2024-01-15")


def old() -> Candles:
    """Return every third of them: what the archive holds before."""
    return chosen(whole(), range(0, 6 * 62, 3))


def prepared(folder: Path) -> Archive:
    """Return a new archive that holds the old candles."""
    archive = Archive(folder / "archive", samples=False)
    archive.store(old(), source="old")
    return archive


def add_the_rest(archive: Archive) -> None:
    archive.store(whole(), source="new")


def in_child(action: "object", *, die_at: int = 0) -> int:
    """Run something in a forked process, killed with SIGKILL before its n-th change of files; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in CHANGES and "/archive/" in f"{arguments[0]!s}/" and not (event == "open" and arguments[1] == "r"):
            count += 1
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(watch)
        action()  # type: ignore[operator]  # any function without parameters
        os._exit(0)
    except BaseException as problem:
        sys.stderr.write(f"{problem!r}\n")
        os._exit(1)


DRIVER = """
import os, shutil, sys
from pathlib import Path
import pyarrow.parquet
from tests.drills import test_archive_kill as drill
folder = Path(sys.argv[1])
assert drill.in_child(lambda: drill.prepared(folder / "template")) == 0
outcomes = {"old": 0, "new": 0}
for point in range(1, 500):
    here = folder / str(point)
    shutil.copytree(folder / "template", here)
    os.environ["CRYPTO_BOT_CACHE_DIR"] = str(here / "cache")
    archive = drill.Archive(here / "archive", samples=False)
    ended = drill.in_child(lambda: drill.add_the_rest(archive), die_at=point)
    state = drill.in_child(lambda: os._exit(drill.state_of(archive)))
    assert state in (10, 11), f"point {point}: {state}"
    outcomes["new" if state == 11 else "old"] += 1
    assert drill.in_child(lambda: os._exit(drill.state_after_more(archive))) == 11, point
    assert sorted(path.name for path in archive.root.iterdir()) == [".lock", "binance"], point
    shutil.rmtree(here)
    if ended == 0:
        break
    assert ended == -9, ended
print(point, outcomes["old"], outcomes["new"])
"""


def state_of(archive: Archive) -> int:
    """Return 10 when the archive holds the old candles, 11 when it holds the new ones, 12 for anything else."""
    loaded = archive.load("TEST/USDT", "4h")
    return 10 if equal(loaded, old()) else 11 if equal(loaded, whole()) else 12


def state_after_more(archive: Archive) -> int:
    """Return what the archive holds when the same candles are stored once more."""
    add_the_rest(archive)
    return state_of(archive)


@pytest.mark.slow
def test_killed_before_each_change_of_files(tmp_path: Path) -> None:
    """Every point at which the process can die between two operations, one after the other."""
    result = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    points, as_before, done = map(int, result.stdout.split())
    assert points > 15 and as_before > 5 and done > 5, result.stdout


def test_killed_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that imports, killed by the clock."""
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    script = (
        "import sys; from pathlib import Path; from tests.drills import test_archive_kill as drill;"
        "archive = drill.Archive(Path(sys.argv[1]) / 'archive', samples=False); drill.made(2);"
        "import pyarrow.parquet; print('go', flush=True); drill.add_the_rest(archive); print('done', flush=True)"
    )
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        archive = prepared(folder)
        command = [sys.executable, "-c", script, str(folder)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "go\n"
            time.sleep(0.003 * 3**attempt)
            process.kill()
        assert state_of(archive) in (10, 11)
        add_the_rest(archive)
        assert state_of(archive) == 11


@pytest.mark.parametrize("limit", [0, 100, 1_000, 2_000])
def test_a_full_disk(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file may grow beyond a limit: the writes fail in the middle, and nothing has changed."""
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    archive = prepared(tmp_path)
    before = snapshot(archive.root)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(RunFailed, match="cannot be written .* was left as it was"):
            add_the_rest(archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert snapshot(archive.root) == before
    add_the_rest(archive)
    assert state_of(archive) == 11


def test_a_cache_on_a_full_disk_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    archive = prepared(tmp_path)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert state_of(archive) == 10
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_two_processes_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both add their own half; whoever comes second waits, and finds the first one's."""
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    script = (
        "import sys; from pathlib import Path; from tests.drills import test_archive_kill as drill;"
        "archive = drill.Archive(Path(sys.argv[1]), samples=False); hours = drill.whole(); n = int(sys.argv[2]);"
        "[archive.store(drill.chosen(hours, range(n + 2 * i, len(hours), 12)), source=f'{n}') for i in range(6)]"
    )
    root = tmp_path / "archive"
    processes = [subprocess.Popen([sys.executable, "-c", script, str(root), str(n)], cwd=ROOT) for n in (0, 1)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert equal(Archive(root, samples=False).load("TEST/USDT", "4h"), whole())
