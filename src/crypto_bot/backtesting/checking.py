"""What a strategy's file is put through before anybody trusts it: one function for each rule, each told in words."""

import json
import os
import subprocess  # nosec B404 # starts this very program again, with a text that stands below
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.choosing import history_bars
from crypto_bot.backtesting.classes import replay_classes
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.reading import files_opened
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.several import stop_all
from crypto_bot.backtesting.stage import Stage, decisions_hash, prepare
from crypto_bot.backtesting.tape import make_tape
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import format_time
from crypto_bot.kernel.compiled import COMPILE
from crypto_bot.plain.guard import PlainFault
from crypto_bot.plain.meeting import players
from crypto_bot.plain.opening import ClassStrategy, open_strategy

_TWIN = """
import contextlib, json, os, sys
from crypto_bot.backtesting.checking import hashes_of, trial_of
with contextlib.redirect_stdout(sys.stderr):
    found = hashes_of(trial_of(sys.stdin.read()))
print(json.dumps(found), flush=True)
os._exit(0)
"""
"""Leaves without waiting for threads that a class has left behind."""
_TWIN_S = 300
_PARTS = 11
"""Into so many parts a run is cut to put its state back in between, at no round numbers of bars."""
_SWING = 97, 100
"""How the prices after a cut are changed, so that whoever saw them would decide otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing: the rule, how grave it is, where, and what to do."""

    rule: str
    severity: Literal["error", "warning", "info"]
    where: str
    detail: str


@dataclass(frozen=True)
class Trial:
    """What a file is tried on: candles of one or more symbols, parameters, and the simulated venue."""

    file: Path
    params: Mapping[str, Given]
    candles: tuple[Candles, ...]
    simulation: Simulation

    def chosen(self) -> Chosen:
        """Read the file anew, so that nothing is left in it of the run before."""
        strategy = open_strategy(str(self.file))
        return Chosen(strategy, strategy.module.parameters.read(self.params))

    def play(self, candles: Sequence[Candles] | None = None, *, start_ns: int | None = None) -> Outcome:
        """Replay the candles, or others."""
        return simulate([self.chosen()], candles or self.candles, self.simulation, start_ns=start_ns)


@dataclass(frozen=True)
class _Described:
    """A trial as another process is told of it."""

    file: str
    params: dict[str, str]
    simulation: Simulation
    series: list[tuple[Instrument, str]]
    columns: list[list[list[int]]]


RULES = ("reads", "runs", "compiled", "determinism", "look-ahead", "warm-up", "state")
"""In the order in which they are tried; `compiled` is for the strategy language, `state` for classes."""


def check(trial: Trial) -> Iterator[Finding]:
    """Put a file through every rule that applies to it; what cannot be read or run is not tried further."""
    rule = "reads"
    try:
        chosen = trial.chosen()
        rule = "runs"
        needed = history_bars([chosen], len(trial.candles), trial.candles[0].bar_ns)
        bars = min(len(each) for each in trial.candles)
        if 2 * needed > bars:
            text = (
                f"it needs {needed} bars before its first decision and there are {bars}: give more, or finer, candles"
            )
            yield Finding(rule, "warning", str(trial.file), text)
            return
        outcome = trial.play()
    except Mistake as mistake:
        yield Finding(rule, "error", _where(trial, mistake.line), mistake.text)
        return
    except CryptoBotError as error:
        yield Finding(rule, "error", str(trial.file), error.what if isinstance(error, PlainFault) else str(error))
        return
    if outcome.orders + outcome.refused == 0:
        text = f"it ordered nothing in {bars} bars; that may be so, but nothing of it was tried"
        yield Finding("runs", "warning", str(trial.file), text)
    for test in _rules_of(chosen, needed):
        try:
            found = list(test(trial, outcome))
        except PlainFault as fault:
            found = [Finding("state" if test is restored else "runs", "error", str(trial.file), fault.what)]
        yield from found
        if test is determined and found:
            return


def _rules_of(chosen: Chosen, needed: int) -> tuple["Callable[[Trial, Outcome], Iterator[Finding]]", ...]:
    def warm_up(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
        return warmed(trial, outcome, needed)

    if isinstance(chosen.strategy, ClassStrategy):
        return determined, prefix, reading, warm_up, restored
    return both_ways, determined, prefix, warm_up


def reading(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
    """Tell of files that a class opens: it is shown nothing of the future, but could know it from there."""
    opened = files_opened(trial.file, trial.play)
    if opened:
        named = ", ".join(opened[:3]) + (f" and {len(opened) - 3} more" if len(opened) > 3 else "")
        text = f"it opens {named}; prices of its own may be those of the future, and no trial can tell"
        yield Finding("look-ahead", "warning", str(trial.file), text)


def both_ways(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
    """Compare the compiled run with the interpreted one."""
    if not COMPILE:
        yield Finding("compiled", "info", str(trial.file), "nothing was compiled: CRYPTO_BOT_COMPILE=0 is set")
        return
    found = _twin(trial, CRYPTO_BOT_COMPILE="0")
    if found != hashes_of(outcome):
        text = f"compiled and interpreted, it decides differently ({hashes_of(outcome)[0]} and {found[0]}); {_REPORT}"
        yield Finding("compiled", "error", str(trial.file), text)


_REPORT = "that is a fault of this program, please report it with the file"


def determined(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
    """Run it again, a class in a process of its own with another order of sets."""
    if isinstance(trial.chosen().strategy, ClassStrategy):
        again = _twin(trial, PYTHONHASHSEED="4711", CRYPTO_BOT_COMPILE=str(int(COMPILE)))
    else:
        again = hashes_of(trial.play())
    if again != hashes_of(outcome):
        text = (
            "run twice on the same candles, it decides differently; it must not use random numbers without a seed,"
            " the clock, the network, or the order of a set; nothing else was tried, as that compares runs"
        )
        yield Finding("determinism", "error", str(trial.file), text)


def prefix(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
    """Change the prices after a bar: what was decided up to it must stay as it was."""
    n = outcome.times.size
    for cut in (n // 3, n // 2, 4 * n // 5):
        changed = [_changed_after(each, int(outcome.times[cut])) for each in trial.candles]
        other = trial.play(changed)
        edge = int(outcome.times[cut])
        if outcome.equity[:cut].tolist() != other.equity[:cut].tolist() or _known(outcome, edge) != _known(other, edge):
            text = (
                f"its decisions before {format_time(edge)} change when the prices after that time do: it looks ahead,"
                " or keeps something between two runs"
            )
            yield Finding("look-ahead", "error", str(trial.file), text)
            return


def warmed(trial: Trial, outcome: Outcome, needed: int) -> Iterator[Finding]:
    """Begin later, once with the declared warm-up and once with all bars before: the decisions should be equal."""
    start = int(outcome.times[outcome.times.size // 2])
    long = trial.play(start_ns=start)
    first = int(np.searchsorted(trial.candles[0].times, start)) - needed
    short = trial.play([each.between(int(trial.candles[0].times[first])) for each in trial.candles], start_ns=start)
    left, right = _known(long, None), _known(short, None)
    if left != right:
        unlike = len(set(left) ^ set(right))
        text = (
            f"begun with {needed} bars of warm-up it makes {unlike} fills that it does not make with all bars before:"
            " what it remembers reaches further back than its warm-up; declare a longer one with warmup = ..."
        )
        yield Finding("warm-up", "warning", str(trial.file), text)


def restored(trial: Trial, outcome: Outcome) -> Iterator[Finding]:
    """Stop on the way, put the state back into a new object and go on, ten times over: nothing may change."""
    tape = make_tape(trial.candles, fills=trial.simulation.fills)
    stage = prepare([trial.chosen()], [each.instrument for each in trial.candles], tape, trial.simulation)
    (player,) = players(stage.bounds).values()
    at_close = 2 * (trial.simulation.fill_at == "close")
    cuts = [tape.times.size * part // _PARTS for part in range(_PARTS + 1)]
    for first, stop in pairwise(cuts):
        _go_on(stage, first, stop, at_close)
        state = player.state()
        if state is None:
            text = "without get_state and from_state a restart plays the whole run again; that is slower, not wrong"
            yield Finding("state", "info", str(trial.file), text)
            return
        player.made = None
        player.restore(state)
    stop_all(stage)
    if decisions_hash(stage.world) != outcome.decisions_hash:
        text = "put back by from_state in the middle of a run, it decides differently: get_state leaves something out"
        yield Finding("state", "error", str(trial.file), text)


def _go_on(stage: Stage, first: int, stop: int, ways: int) -> None:
    """Replay to the end of a span, throwing the notes away whenever the log is full."""
    while first < stop:
        first = replay_classes(stage, first, stop, ways)
        stage.world.desk[0]["log_count"] = 0


def hashes_of(outcome: "Outcome | Trial") -> tuple[str, str]:
    """Return what must be equal between two runs: everything decided, and what everybody owns."""
    played = outcome.play() if isinstance(outcome, Trial) else outcome
    return played.decisions_hash, played.ledger_hash


def _twin(trial: Trial, **variables: str) -> tuple[str, str]:
    """Play the same in another process."""
    import msgspec

    described = _Described(
        str(trial.file),
        {key: value if isinstance(value, str) else str(value) for key, value in trial.params.items()},
        trial.simulation,
        [(each.instrument, each.timeframe) for each in trial.candles],
        [[column.tolist() for column in each.columns()] for each in trial.candles],
    )
    given = msgspec.json.encode(described).decode()
    try:
        ended = subprocess.run(  # noqa: S603  # nosec B603: this very program, no shell
            [sys.executable, "-c", _TWIN], input=given, env={**os.environ, **variables},
            capture_output=True, text=True, timeout=_TWIN_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PlainFault(trial.file.name, f"it ran here, and in a process of its own not within {_TWIN_S} s") from None
    if ended.returncode != 0:
        last = ended.stderr.strip().splitlines()
        raise PlainFault(trial.file.name, f"it ran here and not in a process of its own: {last[-1] if last else '?'}")
    decisions, ledger = json.loads(ended.stdout.splitlines()[-1])
    return decisions, ledger


def trial_of(told: str) -> Trial:
    """Return the trial that another process described."""
    import msgspec

    found = msgspec.json.decode(told, type=_Described)
    candles = tuple(
        Candles(instrument, timeframe, *(np.array(column, np.int64) for column in columns))
        for (instrument, timeframe), columns in zip(found.series, found.columns, strict=True)
    )
    return Trial(Path(found.file), found.params, candles, found.simulation)


def _changed_after(candles: Candles, edge_ns: int) -> Candles:
    """Return candles whose prices after the open of a bar are others."""
    at = int(np.searchsorted(candles.times, edge_ns))
    part, whole = _SWING
    tick = candles.instrument.tick
    columns = [column.copy() for column in (candles.open, candles.high, candles.low, candles.close)]
    for column in columns:
        column[at + 1 :] = np.maximum(column[at + 1 :] * part // whole // tick * tick, tick)
    opening, high, low, close = columns
    high[at], low[at], close[at] = max(high[at], opening[at]), min(low[at], opening[at]), opening[at]
    return replace(candles, open=opening, high=high, low=low, close=close)


def _known(outcome: Outcome, edge_ns: int | None) -> list[tuple[int, ...]]:
    """Return the fills before a bar, and the market orders filled at its open."""
    fills = outcome.fills
    if edge_ns is not None:
        fills = fills[(fills["time_ns"] < edge_ns) | ((fills["time_ns"] == edge_ns) & ~fills["maker"])]
    return [tuple(int(fill[name]) for name in ("time_ns", "instrument", "side", "price")) for fill in fills]


def _where(trial: Trial, line: int) -> str:
    return f"{trial.file}:{line}" if line else str(trial.file)
