"""Named choices: what is declared, what may be given, and what a strategy does with the name."""

from pathlib import Path

import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.reader import read_text
from tests.plays import FREE, Rooms, author, play
from tests.small_worlds import candles_of

TEXT = """from crypto_bot.strategy import Literal, NamedTuple, symbols, target


class Params(NamedTuple):
    n: int = 3
    way: Literal["flat", "half", "full"] = "half"
    only: Literal["this"] = "this"


def check(p):
    assert p.way != "full" or p.n < 5, "full needs n below 5"


def memory(p):
    return dict(seen=0 if p.way == "flat" else 10)


def step(p, m):
    for k in symbols():
        m.seen[k] += 1 if p.way != "flat" else 100
        target(k, share(p))


def share(p):
    if p.way == "flat":
        return 0.0
    return 1.0 if "full" == p.way else 0.5
"""


def test_a_name_stays_a_name_until_the_kernel_takes_it() -> None:
    parameters = read_text(TEXT, Path("mine.py")).parameters
    assert parameters.defaults == (3, "half", "this")
    assert parameters.flat(parameters.defaults) == (3, 1, 0)
    chosen = parameters.read({"way": " full ", "n": 4})
    assert chosen == (4, "full", "this") and parameters.flat(chosen) == (4, 2, 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"way": "fll"}, "mine.py: way must be 'flat', 'half' or 'full', not fll; did you mean full?"),
        ({"way": 1}, "mine.py: way must be 'flat', 'half' or 'full', not 1"),
        ({"only": "that"}, "mine.py: only must be 'this', not that"),
        ({"way": "full", "n": 7}, "mine.py: full needs n below 5; n is 7"),
    ],
)
def test_another_name_is_refused_with_those_there_are(given: dict[str, str | int], sentence: str) -> None:
    with pytest.raises(Mistake) as caught:
        read_text(TEXT, Path("mine.py")).parameters.read(given)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("way", "seen", "share"), [("flat", 300, 0), ("half", 13, 500_000), ("full", 13, 1_000_000)])
def test_the_name_decides_compiled_and_interpreted(tmp_path: Path, way: str, seen: int, share: int) -> None:
    file = author(tmp_path, TEXT)
    candles = [candles_of([(100, 110, 90, 100)] * 3)]
    played = []
    for rooms in (Rooms.of_this_process(), Rooms.plain()):
        played.append(play(rooms, [(rooms.binding.Strategy(file), {"way": way})], candles, FREE))
        assert int(played[-1].cell("seen")[0, 0]) == seen
        assert int(played[-1].world_of.wish[0]["weight"]) == share
    played[0].assert_same(played[1])


def test_other_names_need_no_other_code(tmp_path: Path) -> None:
    rooms = Rooms.of_this_process()
    strategy = rooms.binding.Strategy(author(tmp_path, TEXT))
    walks = {
        strategy.bind(strategy.module.parameters.read({"way": way}), 1, 60 * 10**9).walk for way in ("flat", "half")
    }
    assert len(walks) == 1
