"""A run laid out: the world, the venue, and for every strategy its market, account and memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

import numpy as np

from crypto_bot.authoring.binding import Bound
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.sentences import runtime_mistake
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.tape import Tape
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.context import NEXT, WARMUP
from crypto_bot.kernel.genesis import Stake, new_world
from crypto_bot.kernel.layout import HIGHS, SLOTS, Account, Market, World
from crypto_bot.plain.guard import PlainFault
from crypto_bot.plain.meeting import meet
from crypto_bot.venue.book import Venue
from crypto_bot.venue.opening import open_venue

Result = TypeVar("Result")

_LEAST_LOG = 1 << 16
HEADROOM = 4
"""How many times its highest price so far an instrument may rise before orders are refused as too large."""


@dataclass
class Stage:
    """Everything that one run changes, and what it reads.

    `failed` tells by number why strategies were switched off, `ailing` why others will be at their next step.
    """

    instruments: tuple[Instrument, ...]
    tape: Tape
    world: World
    venue: Venue
    bounds: tuple[Bound, ...]
    markets: tuple[Market, ...]
    accounts: tuple[Account, ...]
    equity: IntArray
    first: int
    failed: dict[int, str] = field(default_factory=dict)
    ailing: dict[int, str] = field(default_factory=dict)

    def extend(self, markets: tuple[Market, ...]) -> None:
        """Go on with longer arrays: markets that grew, and room for the equity of as many bars."""
        room = markets[0].times.size
        if room > self.equity.size:
            curves = [np.concatenate([a.equity, np.zeros(room - a.equity.size, np.int64)]) for a in self.accounts]
            alone = len(self.accounts) == 1
            more = np.zeros(room - self.equity.size, np.int64)
            self.equity = curves[0] if alone else np.concatenate([self.equity, more])
            self.accounts = _accounts(self.world, self.world.book.size, curves)
        self.markets = markets

    def guarded(self, work: Callable[[], Result]) -> Result:
        """Do a piece of the run; what its only strategy did wrong becomes a sentence about its own lines."""
        try:
            # Interpreted code has to be as strict about division, and as lenient about overflow, as compiled code.
            with np.errstate(divide="raise", invalid="raise", over="ignore"):
                return work()
        except (ArithmeticError, IndexError) as fault:
            if len(self.bounds) > 1:
                raise
            raise self._mistake(0, fault) from None

    def attempt(self, s: int, work: Callable[[], object]) -> str:
        """Let a strategy do something; return why it cannot, and nothing when it could.

        What it wished before it failed does not count. Raises what went wrong when no other strategy is left. Called
        by work that is guarded.
        """
        wish = self.accounts[s].wish
        before = wish.tobytes()  # a copy goes field by field, and takes as long as the step
        error: CryptoBotError
        try:
            work()
            return ""
        except (ArithmeticError, IndexError) as fault:
            error = self._mistake(s, fault)
            why = str(error)
        except PlainFault as fault:
            error, why = fault, fault.what
        if all(other == s or other in self.failed or other in self.ailing for other in range(len(self.bounds))):
            raise error
        wish[...] = np.frombuffer(before, wish.dtype)
        return why

    def call(self, s: int, work: Callable[[], object]) -> None:
        """Let a strategy do something beside its steps; one that cannot is switched off at its next step."""
        if s not in self.failed and s not in self.ailing and (why := self.guarded(lambda: self.attempt(s, work))):
            self.ailing[s] = why

    def _mistake(self, s: int, fault: Exception) -> Mistake:
        bound, symbols = self.bounds[s], tuple(instrument.symbol for instrument in self.instruments)
        return runtime_mistake(bound.module, bound.memory, self.markets[s].times, symbols, fault)


def prepare(
    chosen: Sequence[Chosen],
    instruments: Sequence[Instrument],
    tape: Tape,
    simulation: Simulation,
    *,
    start_ns: int | None = None,
) -> Stage:
    """Lay out a run over a whole tape and let the indicators see the bars that open before `start_ns`."""
    highest = [int(tape.bars[HIGHS, :, k].max()) * HEADROOM for k in range(len(instruments))]
    stage = lay_out(chosen, instruments, tape, simulation, highest_prices=highest)
    if start_ns is not None:
        stage.first = int(np.searchsorted(tape.times, start_ns, "left"))
    for s in range(len(stage.bounds)):
        warm_up(stage, s)
    return stage


def lay_out(
    chosen: Sequence[Chosen],
    instruments: Sequence[Instrument],
    tape: Tape,
    simulation: Simulation,
    *,
    highest_prices: Sequence[int],
) -> Stage:
    """Lay out a run in which nothing has happened yet."""
    count = len(instruments)
    lanes = count * len(chosen)
    world = new_world(
        instruments,
        Stake(simulation.cash, len(chosen)),
        simulation.limits,
        simulation.costs,
        bar_ns=tape.bar_ns,
        highest_prices=highest_prices,
        log_capacity=max(_LEAST_LOG, 16 * SLOTS * lanes),
    )
    venue = open_venue(
        instruments, len(chosen), simulation.costs, through=simulation.way.through, legs=simulation.way.legs
    )
    bounds = tuple(c.strategy.bind(c.params, count, tape.run_ns, tape.bar_ns, gaps=tape.has_gaps) for c in chosen)
    meet(bounds, instruments)
    markets = tuple(tape.market(bound.own_ns, on_fills=bound.wakes_on_fills) for bound in bounds)
    equity = np.full(tape.times.size, simulation.cash, np.int64)
    accounts = _accounts(world, count, _part_curves(len(chosen), equity))
    return Stage(tuple(instruments), tape, world, venue, bounds, markets, accounts, equity, 0)


def _part_curves(strategies: int, equity: IntArray) -> list[IntArray]:
    """Return for each strategy the array that its equity is written to: the account's own when it is alone."""
    return [equity] if strategies == 1 else [np.zeros_like(equity) for _ in range(strategies)]


def _accounts(world: World, count: int, curves: Sequence[IntArray]) -> tuple[Account, ...]:
    """Return each strategy's part of the world: its own lanes, and the curve of its own equity."""
    lanes = [slice(s * count, (s + 1) * count) for s in range(len(curves))]
    return tuple(
        Account(curve, world.book, world.subs[lane], world.wish[lane])
        for lane, curve in zip(lanes, curves, strict=True)
    )


def warm_up(stage: Stage, s: int) -> None:
    """Show a strategy the bars before the start: its indicators see them, its step is not called."""
    bound, market, first = stage.bounds[s], stage.markets[s], stage.first
    if first == 0:
        return
    seen = int(np.searchsorted(market.due, first, "left")) if market.due.size else first
    whole = bound.memory.whole
    whole[WARMUP] = max(int(whole[WARMUP]), seen + 1)
    if bound.wakes_on_fills and not stage.tape.has_gaps:
        return
    stage.call(s, lambda: bound.walk(market, 0, first, stage.accounts[s], bound.memory))
    if market.due.size:
        whole[NEXT] = seen


def decisions_hash(world: World) -> str:
    """Return the hash of every signal, risk decision, order and fill so far."""
    return f"{int(world.desk[0]['decisions']) & ((1 << 64) - 1):016x}"


def ledger_hash(world: World) -> str:
    """Return one short name for what everybody owns."""
    digest = blake2b(digest_size=8)
    for part in (world.purse, world.funds, world.subs):
        digest.update(part.tobytes())
    return digest.hexdigest()
