"""One run, slice by slice: venue, ledger, strategies and the difference, with a pause before every effect.

`play` is what `replay` does in one compiled loop, taken apart at the places where a live run has to
wait: an event happens, its row is handed out, and only when the caller asks for the next one does an
effect leave for the venue. Both give the same decisions, bit for bit.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting import slices
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.several import step_all
from crypto_bot.backtesting.stage import Stage, decisions_hash, lay_out
from crypto_bot.backtesting.tape import Tape
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray, Slice
from crypto_bot.kernel.context import WARMUP
from crypto_bot.kernel.layout import COMMAND_EVENT, FILL_EVENT, PLANES
from crypto_bot.persistence.payloads import CommandEvent, encode
from crypto_bot.runtime.entries import (
    Entry,
    Names,
    fill_payload,
    order_payload,
    outcome_text,
    signal_payload,
    slice_payload,
)
from crypto_bot.runtime.reel import Reel

COMMANDS = {"halt": 1, "resume": 2}
_LEGS = 3


class Session:
    """A run that is going on: its stage, and the reel of the bars it has seen."""

    def __init__(
        self,
        chosen: Sequence[Chosen],
        instruments: Sequence[Instrument],
        run_ns: int,
        simulation: Simulation,
        highest_prices: Sequence[int],
    ) -> None:
        """Lay out a run that has seen no bar yet."""
        bar_ns = run_ns // _LEGS if simulation.fills == "path" else run_ns
        none = np.zeros(0, np.int64)
        bars = np.zeros((PLANES, 0, len(instruments)), np.int64)
        tape = Tape(bars, none, bar_ns, none, bars, run_ns, none)
        self.names = Names(tuple(c.name for c in chosen), tuple(instruments))
        self.stage: Stage = lay_out(chosen, instruments, tape, simulation, highest_prices=highest_prices)
        self.reel = Reel(tape, [bound.own_ns for bound in self.stage.bounds])
        self._at_close = simulation.fill_at == "close"
        self._last_equity = np.array([simulation.cash], np.int64)
        self._extend(moved=True)

    @property
    def decisions_hash(self) -> str:
        """The hash of everything decided so far."""
        return decisions_hash(self.stage.world)

    @property
    def fills(self) -> int:
        """How many fills were booked."""
        return int(self.stage.world.desk[0]["fills"])

    @property
    def equity(self) -> int:
        """What the account is worth, in atoms."""
        return int(self.stage.world.desk[0]["equity"])

    @property
    def halt(self) -> int:
        """The bits of why trading is halted, 0 when it is not."""
        return int(self.stage.world.desk[0]["halt"])

    def last_marks(self) -> IntArray:
        """Return the equity at the last close, with which the next day opens; a snapshot writes into it."""
        return self._last_equity

    def recall(self, item: Slice) -> None:
        """Lay a bar on the reel whose consequences a snapshot already holds."""
        _, moved = self.reel.append(item)
        self._extend(moved)

    def see(self, items: Sequence[Slice]) -> None:
        """Take in bars from before the start: the indicators see them, nothing else happens."""
        for item in items:
            base, moved = self.reel.append(item)
            self._extend(moved)
            for s, bound in enumerate(self.stage.bounds):
                whole = bound.memory.whole
                seen = self._decided(s)
                whole[WARMUP] = max(int(whole[WARMUP]), seen + 1)
                if bound.module.wake != "fills":
                    self._walk_alone(s, base)

    def _decided(self, s: int) -> int:
        """Return how many bars strategy s would have decided on so far."""
        own = self.reel.own[s]
        if own is not None:
            return own.shelf.count
        return self.reel.run.count if self.stage.bounds[s].module.wake != "fills" else self.reel.base.count

    def _walk_alone(self, s: int, base: range) -> None:
        bound = self.stage.bounds[s]
        self.stage.guarded(
            lambda: bound.walk(self.stage.markets[s], base.start, base.stop, self.stage.accounts[s], bound.memory)
        )

    def play(self, item: Slice) -> Iterator[Entry]:
        """Let one slice happen; yield a row for every event, before its effects are carried out."""
        base, moved = self.reel.append(item)
        self._extend(moved)
        for j in base:
            yield from self._matches(j)
            yield from self._mark(j, item, last=j == base.stop - 1)
            yield from self._wishes(j)

    def obey(self, command: str, reason: str, by: str) -> Iterator[Entry]:
        """Carry out an operator's command."""
        j = max(0, self.reel.base.count - 1)
        event = self.stage.world.event[0]
        event["kind"] = COMMAND_EVENT
        event["code"] = COMMANDS[command]
        slices.happen(self.stage.world, self.stage.markets[0], j, self.equity)
        yield self._entry("COMMAND", encode(CommandEvent(command, reason, by)), halt=self.halt)
        yield from self._effects(j)
        if self.reel.base.count:
            yield from self._wishes(j, stepped=True)

    def _extend(self, moved: bool) -> None:
        if moved:
            self.stage.extend(tuple(self.reel.market(s) for s in range(len(self.stage.bounds))))

    def _matches(self, j: int) -> Iterator[Entry]:
        """Everything the venue has to say about base bar j, one report after the other."""
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        cursor = slices.find_match(world, venue, market, j, 0)
        while cursor >= 0:
            yield self._happen(j, 0)
            yield from self._effects(max(j - 1, 0))
            cursor = slices.find_match(world, venue, market, j, cursor)

    def _mark(self, j: int, item: Slice, *, last: bool) -> Iterator[Entry]:
        """The close of base bar j: ledger marked, limits watched; the run's bar is told with its last leg."""
        stage = self.stage
        stage.equity[j] = slices.mark(stage.world, stage.markets[0], j, int(self._last_equity[0]))
        if stage.world.desk[0]["laws"] != 0:
            raise RunFailed("the ledger broke one of its own laws; trading has stopped, please report this")
        if last:
            yield self._entry("SLICE", slice_payload(item), equity=int(stage.equity[j]), halt=self.halt)
        elif self.stage.world.desk[0]["effects_made"] != 0:
            yield self._entry("LIMIT", "{}", equity=int(stage.equity[j]), halt=self.halt)
        yield from self._effects(j)

    def _wishes(self, j: int, *, stepped: bool = False) -> Iterator[Entry]:
        """Let the strategies decide on base bar j, and answer what they want until nothing waits."""
        stage = self.stage
        if not stepped:
            stage.guarded(lambda: step_all(stage, j))
        while slices.is_wished(stage.world):
            slices.decide(stage.world, stage.markets[0], j, int(stage.equity[j]))
            notes = self._take_notes()
            payload = signal_payload(notes, len(self.names.instruments))
            yield self._entry("SIGNAL", payload, notes=notes)
            yield from self._effects(j)
            if self._at_close:
                yield from self._close_fills(j)
        self._last_equity[0] = stage.equity[j]

    def _close_fills(self, j: int) -> Iterator[Entry]:
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        while slices.find_close_match(world, venue, market, j):
            yield self._happen(j, 0)
            yield from self._effects(j)
        self.stage.equity[j] = slices.account_equity(world, market, j)

    def _effects(self, j: int) -> Iterator[Entry]:
        """Carry out every effect and hand out what the venue answers."""
        world, venue, market = self.stage.world, self.stage.venue, self.stage.markets[0]
        while world.desk[0]["effects_made"] != 0 and slices.send(world, venue, market, j):
            yield self._happen(j, self.equity)

    def _happen(self, j: int, equity: int) -> Entry:
        """Let the report in the event register happen and return its row."""
        event = self.stage.world.event[0]
        is_fill = event["kind"] == FILL_EVENT
        payload = fill_payload(event, self.names) if is_fill else order_payload(event, self.names)
        slices.happen(self.stage.world, self.stage.markets[0], j, equity)
        return self._entry("FILL" if is_fill else "ORDER", payload)

    def _take_notes(self) -> npt.NDArray[np.void]:
        desk = self.stage.world.desk[0]
        notes: npt.NDArray[np.void] = self.stage.world.log[: int(desk["log_count"])].copy()
        desk["log_count"] = 0
        return notes

    def _entry(
        self,
        kind: str,
        payload: str,
        *,
        notes: npt.NDArray[np.void] | None = None,
        equity: int | None = None,
        halt: int | None = None,
    ) -> Entry:
        world = self.stage.world
        decisions = self.names.decisions(self._take_notes() if notes is None else notes)
        desk = world.desk[0]
        return Entry(
            kind,
            int(desk["time_ns"]),
            payload,
            outcome_text(decisions, equity, halt),
            self.decisions_hash,
            len(decisions),
            bool(desk["effects_made"] > desk["effects_done"]),
        )
