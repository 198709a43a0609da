"""One run, slice by slice: venue, ledger, strategies and the difference, with a pause before every effect.

`play` is what `replay` does in one compiled loop, taken apart at the places where a live run has to
wait: an event happens, its row is handed out, and only when the caller asks for the next one does an
effect leave for the venue. Both give the same decisions, bit for bit.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from crypto_bot.backtesting import delisting, interventions, slices
from crypto_bot.backtesting.intrabar import LEGS
from crypto_bot.backtesting.several import step, stop_all, switch_off
from crypto_bot.backtesting.stage import Stage, decisions_hash, lay_out
from crypto_bot.backtesting.tape import Tape
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.market import IntArray, Slice
from crypto_bot.kernel.context import WARMUP
from crypto_bot.kernel.layout import CLOSES, FILL_EVENT, PLANES
from crypto_bot.persistence.payloads import CommandEvent, FaultEvent, encode
from crypto_bot.plain.answers import Told
from crypto_bot.plain.meeting import players, tell_fill
from crypto_bot.runtime.entries import (
    Entry,
    Names,
    Notes,
    fill_payload,
    order_payload,
    outcome_text,
    signal_payload,
)
from crypto_bot.runtime.history import event_of
from crypto_bot.runtime.intervening import intervene
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.reel import Reel


class Session:
    """A run that is going on: its stage, and the reel of the bars it has seen.

    `off` are the numbers of strategies that an operator stopped: they see the bars and decide nothing. `foretold`
    gives the fault that the journal has next when it is played again: then a strategy fails as it did.
    """

    def __init__(self, plan: Plan) -> None:
        """Lay out a run that has seen no bar yet; its strategies are compiled here."""
        self.chosen, simulation = plan.chosen(), plan.simulation
        chosen = self.chosen
        tape = _empty_tape(plan.run_ns, len(plan.instruments), path=simulation.way.path)
        self.names = Names(tuple(each.name for each in chosen), plan.instruments)
        self.stage: Stage = lay_out(chosen, plan.instruments, tape, simulation, highest_prices=plan.highest_prices)
        bounds = self.stage.bounds
        self.reel = Reel(tape, [bound.own_ns for bound in bounds], [bound.wakes_on_fills for bound in bounds])
        self._desk = self.stage.world.desk[0]
        self._desk["time_ns"] = self.begin_ns = plan.begin_ns
        self.cash = simulation.cash
        self.mode = plan.mode
        self.off: set[int] = set()
        self.foretold: Callable[[], FaultEvent | None] = lambda: None
        self._at_close = simulation.fill_at == "close"
        self._haircut_ppm = simulation.delisting_ppm
        self._patience_ns = delisting.patience_ns(simulation, plan.run_ns)
        self._last_bar_ns: IntArray = np.zeros(len(plan.instruments), np.int64)
        self._bound = 0
        self._no_notes: Notes = self.stage.world.log[:0].copy()
        self._extend(moved=True)

    @property
    def decisions_hash(self) -> str:
        """The hash of everything decided so far."""
        return decisions_hash(self.stage.world)

    @property
    def time_ns(self) -> int:
        """When the last event happened, UTC ns."""
        return int(self._desk["time_ns"])

    @property
    def fills(self) -> int:
        """How many fills were booked."""
        return int(self._desk["fills"])

    @property
    def equity(self) -> int:
        """What the account is worth, in atoms."""
        return int(self._desk["equity"])

    @property
    def halt(self) -> int:
        """The bits of why trading is halted, 0 when it is not."""
        return int(self._desk["halt"])

    def first_closes(self) -> list[int]:
        """Return the first closes that count, by instrument; 0 for one that is not listed yet."""
        run = self.reel.run
        first = int(np.searchsorted(run.times[: run.count], self.begin_ns))
        closes: list[int] = run.bars[CLOSES, first].tolist()
        for k in (k for k, close in enumerate(closes) if close == 0):
            column = run.bars[CLOSES, first : run.count, k]
            closes[k] = int(column[np.argmax(column != 0)])
        return closes

    def see(self, items: Sequence[Slice]) -> None:
        """Take in bars from before the start: the indicators see them, nothing else happens."""
        for item in items:
            base = self._append(item)
            self.stage.equity[base.start : base.stop] = self.cash
            for s, bound in enumerate(self.stage.bounds):
                whole = bound.memory.whole
                whole[WARMUP] = max(int(whole[WARMUP]), self.reel.seen(s) + 1)
                if not bound.wakes_on_fills or self.stage.tape.has_gaps:
                    self._walk(s, base)

    def recall(self, times: IntArray, columns: IntArray) -> None:
        """Lay bars on the reel whose consequences a snapshot holds.

        `columns` are [time, instrument, (open, high, low, close, volume)].
        """
        self.reel.lay(times, columns)
        self._extend(moved=True)
        counted = times >= self.begin_ns
        there = np.where(columns[counted, :, 0] != 0, times[counted, np.newaxis], 0)
        self._last_bar_ns = there.max(axis=0, initial=0)

    def last_equity(self) -> IntArray:
        """Return the place of the equity at the last close: with it the next day opens, and commands are obeyed."""
        last = max(0, self.reel.base.count - 1)
        return self.stage.equity[last : last + 1]

    def play(self, item: Slice) -> Iterator[Entry]:
        """Let one slice happen; yield a row for every event, before its effects are carried out."""
        base = self._append(item)
        for j in base:
            yield from self._match(j)
            yield from self._mark(j, item if j == base[-1] else None)
            yield from self._step(j)
            yield from self._answer(j)
        for k in self._gone(item):
            yield from self._give_up(delisting.Gone(base[-1], k))

    def close(self) -> None:
        """Tell plain classes that there are no more slices."""
        stop_all(self.stage)

    def obey(self, command: CommandEvent) -> Iterator[Entry]:
        """Carry out an operator's command."""
        last = max(0, self.reel.base.count - 1)
        intervene(self, command)
        yield self._entry("COMMAND", encode(command), halt=self.halt)
        yield from self._carry_out(last)
        if self.reel.base.count:
            yield from self._answer(last)

    def _append(self, item: Slice) -> range:
        """Lay a slice on the reel; return the base bars it became."""
        base, moved = self.reel.append(item)
        self._extend(moved)
        return base

    def _extend(self, moved: bool) -> None:
        if moved:
            self.stage.extend(tuple(self.reel.market(s) for s in range(len(self.stage.bounds))))

    def _walk(self, s: int, base: range) -> None:
        """Show base bars to one strategy alone."""
        stage, bound = self.stage, self.stage.bounds[s]
        stage.call(s, lambda: bound.walk(stage.markets[s], base.start, base.stop, stage.accounts[s], bound.memory))

    def _match(self, j: int) -> Iterator[Entry]:
        """Hand out everything the venue has to say about base bar j, one report after the other."""
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        cursor = slices.find_match(world, venue, market, j, 0)
        while cursor >= 0:
            yield self._report(j, 0)
            yield from self._carry_out(max(j - 1, 0))
            cursor = slices.find_match(world, venue, market, j, cursor)

    def _mark(self, j: int, item: Slice | None) -> Iterator[Entry]:
        """Mark the ledger at the close of base bar j and watch the limits; the last base bar tells the slice."""
        stage = self.stage
        before = int(stage.equity[j - 1]) if j else self.cash
        equity = stage.equity[j] = slices.mark(stage.world, stage.markets[0], j, before)
        if self._desk["laws"] != 0:
            raise RunFailed("the ledger broke one of its own laws; trading has stopped, please report this")
        if item is not None:
            yield self._entry("SLICE", encode(event_of(item)), equity=int(equity), halt=self.halt)
        elif self._desk["log_count"] != 0:
            yield self._entry("LIMIT", "{}", equity=int(equity), halt=self.halt)
        yield from self._carry_out(j)

    def _step(self, j: int) -> Iterator[Entry]:
        """Let every strategy that is on decide on what is known at the close of base bar j; tell of those that fail."""
        for s in self.off:
            bound = self.stage.bounds[s]
            interventions.hush(self.stage.world, s)
            seen = self.reel.base.count if bound.wakes_on_fills else self.reel.seen(s)
            bound.memory.whole[WARMUP] = max(int(bound.memory.whole[WARMUP]), seen + 1)
        for s in range(len(self.stage.bounds)):
            fault = self.foretold()
            if fault is not None and fault.strategy == s:
                why = fault.reason
            else:
                why = self.stage.guarded(partial(step, self.stage, j, s))
            if why:
                switch_off(self.stage, s, why)
                yield self._entry("FAULT", encode(FaultEvent(s, self.names.strategies[s], why)))
                yield from self._carry_out(j)

    def _answer(self, j: int) -> Iterator[Entry]:
        """Answer what the strategies want after base bar j, until nothing waits."""
        while slices.is_wished(self.stage.world):
            yield from self._decide(j)
            if self._at_close:
                yield from self._match_at_close(j)

    def _decide(self, j: int) -> Iterator[Entry]:
        """Answer what the strategies want after base bar j, once."""
        stage = self.stage
        slices.decide(stage.world, stage.markets[0], j, int(stage.equity[j]))
        notes = self._take_notes()
        yield self._entry("SIGNAL", signal_payload(notes, self.names, self._told()), notes=notes)
        yield from self._carry_out(j)

    def _gone(self, item: Slice) -> list[int]:
        """Return the instruments that have been without a bar for too long."""
        found = []
        for k, bar in enumerate(item.bars):
            if bar is not None:
                self._last_bar_ns[k] = item.time_ns
            elif self._patience_ns and 0 < self._last_bar_ns[k] <= item.time_ns - self._patience_ns:
                found.append(k)
        return [k for k in found if self.stage.world.book[k]["most"] != 0]

    def _give_up(self, gone: delisting.Gone) -> Iterator[Entry]:
        """Give an instrument up as a backtest does: sell what is held of it, and take no more orders."""
        stage, j = self.stage, gone.at
        delisting.renounce(stage.world, gone.instrument)
        while slices.is_wished(stage.world):
            yield from self._decide(j)
        while delisting.find_sale(stage.world, stage.venue, stage.markets[0], gone, self._haircut_ppm):
            yield self._report(j, 0)
            yield from self._carry_out(j)
        stage.equity[j] = delisting.strike_off(stage.world, stage.markets[0], gone)
        yield from self._answer(j)

    def _told(self) -> dict[int, Told]:
        """Return what plain classes said of their wishes, by lane."""
        count = len(self.names.instruments)
        found = players(self.stage.bounds).items()
        return {s * count + k: told for s, player in found for k, told in player.reasons.items()}

    def _match_at_close(self, j: int) -> Iterator[Entry]:
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        while slices.find_close_match(world, venue, market, j):
            yield self._report(j, 0)
            yield from self._carry_out(j)
        self.stage.equity[j] = slices.account_equity(world, market, j)

    def _carry_out(self, j: int) -> Iterator[Entry]:
        """Carry out every effect that waits and hand out what the venue answers."""
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        while self._desk["effects_made"] != 0 and slices.send(world, venue, market, j):
            yield self._report(j, self.equity)
        self._bound = 0

    def _report(self, j: int, equity: int) -> Entry:
        """Let the report in the event register happen and return its row."""
        event = self.stage.world.event[0]
        is_fill = event["kind"] == FILL_EVENT
        payload = fill_payload(event, self.names, self.fills) if is_fill else order_payload(event, self.names)
        if is_fill:
            tell_fill(self.stage.bounds, event, fee=int(event["fee"]))
        slices.happen(self.stage.world, equity)
        return self._entry("FILL" if is_fill else "ORDER", payload)

    def _take_notes(self) -> Notes:
        count = int(self._desk["log_count"])
        if count == 0:
            return self._no_notes
        notes: Notes = self.stage.world.log[:count].copy()
        self._desk["log_count"] = 0
        return notes

    def _entry(
        self,
        kind: str,
        payload: str,
        *,
        notes: Notes | None = None,
        equity: int | None = None,
        halt: int | None = None,
    ) -> Entry:
        """Make the row of the event that has just happened; it binds the effects that came of it."""
        decisions = self.names.decisions(self._take_notes() if notes is None else notes)
        outcome = outcome_text(decisions, equity, halt)
        before, self._bound = self._bound, int(self._desk["effects_made"])
        binding = self._bound > before
        return Entry(kind, self.time_ns, payload, outcome, self.decisions_hash, len(decisions), binding)


def _empty_tape(run_ns: int, instruments: int, *, path: str) -> Tape:
    """Return a tape to begin with: of several instruments any may lack a bar, nobody knows which."""
    none = np.zeros(0, np.int64)
    bars = np.zeros((PLANES, 0, instruments), np.int64)
    bar_ns = run_ns // LEGS if path else run_ns
    return Tape(bars, none, bar_ns, none, bars, run_ns, none, path, has_gaps=instruments > 1)
