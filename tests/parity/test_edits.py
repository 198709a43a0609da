"""What is edited counts at the next run: compiled code on disk is never older than its source. Real processes."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STRATEGY = '''"""A small one."""
from crypto_bot.strategy import NamedTuple, close, target


class Params(NamedTuple):
    """One switch."""

    above: float = 100.0


def step(p):
    """Hold half above a price."""
    target(0, 0.5 if close(0) > p.above else 0.0)
'''

# Only arithmetic is compiled here, through the same cache: the whole loop would take a minute for each edit.
KERNEL = """
import numpy as np
from crypto_bot.kernel import arithmetic as A
from crypto_bot.kernel.compiled import FOLDER, compiled

@compiled()
def worked_out(numbers):
    return A.fee_on(numbers[0], numbers[1])

print(worked_out(np.array([1_000_000, 1_000])), FOLDER.name)
"""

WALKER = """
import sys
from pathlib import Path
import numpy as np
from crypto_bot.authoring.binding import Strategy
from crypto_bot.kernel.layout import Account, Market, book_t, sub_t, wish_t

bound = Strategy(Path(sys.argv[1])).bind((100.0,), 1, 60 * 10**9)
bars = np.zeros((6, 4, 1), np.int64)
bars[3, :, 0] = (9_900, 10_100, 10_200, 9_900)
book, wish = np.zeros(1, book_t), np.zeros(1, wish_t)
book["price_scale"] = 100
wish["hold"] = -1
none = np.zeros(0, np.int64)
market = Market(bars, np.arange(4, dtype=np.int64) * 60 * 10**9, bars, none)
account = Account(np.zeros(4, np.int64), book, np.zeros(1, sub_t), wish)
stopped = bound.walk(market, 0, 4, account, bound.memory)
print(stopped, int(wish["weight"][0]))
"""


@dataclass
class House:
    """A copy of the sources with a cache of its own."""

    folder: Path

    @property
    def package(self) -> Path:
        """The copied package."""
        return self.folder / "src" / "crypto_bot"

    def say(self, script: str, *arguments: str) -> list[str]:
        """Run a script in a new process over the copied sources; return the words it prints."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "CRYPTO_BOT_CACHE_DIR": str(self.folder / "cache"),
            "CRYPTO_BOT_COMPILE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        file = self.folder / "script.py"
        if not file.exists():
            file.write_text(script)
        command = [sys.executable, str(file), *arguments]
        told = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert told.returncode == 0, told.stderr[-2_000:]
        return told.stdout.split()

    def edit(self, place: str, old: str, new: str) -> None:
        """Change one place of a source; its length and its date may stay as they were."""
        file = self.package / place
        text, stamp = file.read_text(), file.stat()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))
        os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    def folders(self) -> list[str]:
        """Return the folders of compiled code, by the key of their kernel."""
        return sorted(folder.name for folder in (self.folder / "cache" / "kernel").iterdir() if folder.is_dir())


@pytest.fixture
def house(tmp_path: Path) -> House:
    ignored = shutil.ignore_patterns("__pycache__", "samples", "report", "static*", ".*")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return House(tmp_path)


FEE_ON = "return amount // PPM * ppm + (amount % PPM * ppm + PPM - 1) // PPM"


def test_an_edited_callee_counts_at_once_and_old_code_is_dropped(house: House) -> None:
    """The compiler watches the file of the outermost function alone: an edited callee would go unseen."""
    first = house.say(KERNEL)
    assert first[0] == "1000", "a thousandth of a million"
    assert house.say(KERNEL) == first and house.folders() == [first[1]]
    house.edit("kernel/arithmetic.py", FEE_ON, FEE_ON.replace("PPM - 1)", "PPM * 1)"))
    second = house.say(KERNEL)
    assert second[0] == "1001", "a file of the same length and the same date"
    house.edit("kernel/arithmetic.py", "+ PPM * 1)", "+ PPM * 5)")
    third = house.say(KERNEL)
    assert third[0] == "1005"
    assert len({first[1], second[1], third[1]}) == 3
    constants = "AT_OPEN, AT_STOP, AT_LIMIT, AT_CLOSE = 0, 2, 4, 6"
    house.edit("venue/matching.py", constants, f"{constants}  # as it was")
    fourth = house.say(KERNEL)
    assert fourth[0] == third[0]
    assert house.folders() == sorted([third[1], fourth[1]]), "the two newest are kept, older ones are gone"


def test_an_edited_strategy_counts_at_once(house: House) -> None:
    file = house.folder / "mine.py"
    file.write_text(STRATEGY)
    assert house.say(WALKER, str(file)) == ["2", "500000"]
    texts = list((house.folder / "cache").rglob("mine_*.py"))
    stamp = file.stat()
    file.write_text(STRATEGY.replace("0.5 if", "0.7 if"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert house.say(WALKER, str(file)) == ["2", "700000"]
    file.write_text(STRATEGY.replace("0.5 if close(0) >", "0.5 if close(0, 1) >"))
    assert house.say(WALKER, str(file)) == ["3", "500000"]
    file.write_text("# a note\n" + STRATEGY)
    assert house.say(WALKER, str(file)) == ["2", "500000"], "a comment decides nothing"
    assert len(list((house.folder / "cache").rglob("mine_*.py"))) == len(texts) + 3


def test_a_comment_in_the_kernel_changes_its_key_and_no_decision(house: House) -> None:
    file = house.folder / "mine.py"
    file.write_text(STRATEGY)
    before = house.say(WALKER, str(file))
    house.edit("kernel/steps.py", "COUNTED = 4e18", "COUNTED = 4e18  # enough")
    assert house.say(WALKER, str(file)) == before
    assert len(house.folders()) == 2


@pytest.mark.parametrize("damage", ["all gone", "code gone", "indices empty", "code empty"])
def test_a_damaged_cache_is_made_again(house: House, damage: str) -> None:
    """As a full disk or a power cut leaves it."""
    first = house.say(KERNEL)
    cache = house.folder / "cache"
    assert list(cache.rglob("*.nbi")) and list(cache.rglob("*.nbc"))
    if damage == "all gone":
        shutil.rmtree(cache)
    for file in cache.rglob("*.nbi" if damage == "indices empty" else "*.nbc"):
        if damage.endswith("empty"):
            file.write_bytes(b"")
        else:
            file.unlink()
    assert house.say(KERNEL) == first and house.say(KERNEL) == first
