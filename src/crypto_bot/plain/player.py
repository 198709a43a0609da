"""One plain class at work: it is shown slices and fills, and what it answers is written as wishes."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Protocol, cast

import numpy as np

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import timeframe_name
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.context import BAR_NS, NEXT, WARMUP
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PRESENT, VOLUMES, Market, Memory
from crypto_bot.kernel.layout import Account as Lanes
from crypto_bot.plain.guard import Guard, PlainFault
from crypto_bot.plain.wishes import WrongSignal, wish
from crypto_bot.plain.words import Account, Filled, PriceBar, Shown, Signal

UNTIL = 16
"""Where in the memory the times stand until which signals are valid, one for each symbol; 0 is for ever."""


class Made(Protocol):
    """An object of a user's class; only `on_data` has to be there."""

    def on_data(self, shown: Shown | PriceBar) -> float | None:
        """Learn what has closed."""


@dataclass(frozen=True, slots=True)
class Told:
    """Why a signal was given: what the class said, at the close of which slice, about which symbol."""

    time_ns: int
    instrument: int
    reason: str
    valid_until_ns: int | None


@dataclass
class Player:
    """Calls one object of a user's class, in the order of a run, and keeps what it said."""

    make: Callable[[], Made]
    guard: Guard
    run_ns: int
    instruments: tuple[Instrument, ...] = ()
    made: Made | None = None
    fills: list[Filled] = field(default_factory=list)
    reasons: dict[int, Told] = field(default_factory=dict)
    listen: Callable[[Told], None] | None = None

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.guard.name

    @property
    def is_simple(self) -> bool:
        """Whether `on_data` itself answers with a share, as a class without `generate_signals` does."""
        return not hasattr(self._object(), "generate_signals")

    def walk(self, market: Market, first: int, stop: int, account: Lanes, memory: Memory) -> int:
        """Show base bars first .. stop-1; the class decides on each that it is warm for. Returns stop."""
        whole = memory.whole
        with np.errstate(divide="warn", invalid="warn", over="warn", under="ignore"):
            for i in range(first, stop):
                if market.due.size == 0:
                    self._show(market, i, i, account, whole)
                    continue
                while whole[NEXT] < market.due.size and market.due[whole[NEXT]] <= i:
                    whole[NEXT] += 1
                    self._show(market, i, int(whole[NEXT]) - 1, account, whole)
        return stop

    def hear(self, filled: Filled) -> None:
        """Take in a fill; the class is told of it before the next slice."""
        self.fills.append(filled)

    def state(self) -> str | None:
        """Return what the class keeps, as JSON text; None when it has no `get_state`."""
        get_state = getattr(self._object(), "get_state", None)
        if get_state is None or not hasattr(self.made, "from_state"):
            return None
        kept = self.guard.call(get_state)
        try:
            return json.dumps(
                {
                    "state": kept,
                    "fills": [asdict(each) for each in self.fills],
                    "reasons": [asdict(each) for each in self.reasons.values()],
                },
                allow_nan=False,
            )
        except (TypeError, ValueError) as error:
            raise PlainFault(self.name, f"get_state returned what JSON cannot hold: {error}") from None

    def restore(self, text: str) -> bool:
        """Put the class back into a state; False when it cannot take one."""
        from_state = getattr(self._object(), "from_state", None)
        if from_state is None:
            return False
        kept = json.loads(text)
        made = self.guard.call(from_state, kept["state"])
        self.made = self.made if made is None else cast(Made, made)
        self.fills = [Filled(**each) for each in kept["fills"]]
        self.reasons = {each["instrument"]: Told(**each) for each in kept["reasons"]}
        return True

    def stop(self) -> None:
        """Tell the class that there are no more slices."""
        if self.made is not None:
            on_stop = getattr(self.made, "on_stop", None)
            if on_stop is not None:
                self.guard.call(on_stop)
            self.guard.release()

    def _object(self) -> Made:
        """Make the object and tell it what it will be shown, at the first need."""
        if self.made is None:
            self.made = self.guard.call(self.make)
            on_start = getattr(self.made, "on_start", None)
            if on_start is not None:
                self.guard.call(on_start, tuple(each.symbol for each in self.instruments), timeframe_name(self.run_ns))
        return self.made

    def _show(self, market: Market, i: int, own: int, account: Lanes, whole: IntArray) -> None:
        made = self._object()
        fills, self.fills = self.fills, []
        on_order_filled = getattr(made, "on_order_filled", None)
        if on_order_filled is not None:
            for filled in fills:
                self.guard.call(on_order_filled, filled)
        closed_ns = int(market.times[i] + whole[BAR_NS])
        shown = self._shown(market.own, own, closed_ns)
        decides = own + 1 >= whole[WARMUP]
        if self.is_simple:
            if len(self.instruments) > 1:
                raise PlainFault(self.name, "on_data answers for one symbol; give the class generate_signals for more")
            share = self.guard.call(made.on_data, shown.bars[self.instruments[0].symbol])
            signals = [] if share is None else [Signal(self.instruments[0].symbol, share=share)]
        else:
            self.guard.call(made.on_data, shown)
            signals = []
            if decides:
                seen = self._account(i, account)
                signals = self._signals(self.guard.call(made.generate_signals, seen))  # type: ignore[attr-defined] # asked for above
        if decides:
            self._expire(account, whole, closed_ns)
            for signal in signals:
                self._wish(account, whole, signal, closed_ns)

    def _shown(self, bars: IntArray, own: int, closed_ns: int) -> Shown:
        found = {}
        has_gaps = bars.shape[0] > PRESENT
        for k, instrument in enumerate(self.instruments):
            if has_gaps and not bars[PRESENT, own, k]:
                continue
            scale = instrument.price_scale
            opening, high, low, close = (int(bars[plane, own, k]) / scale for plane in (OPENS, HIGHS, LOWS, CLOSES))
            volume = int(bars[VOLUMES, own, k]) / instrument.quantity_scale
            found[instrument.symbol] = PriceBar(closed_ns - self.run_ns, opening, high, low, close, volume)
        return Shown(closed_ns, found)

    def _account(self, i: int, account: Lanes) -> Account:
        held = {
            each.symbol: int(account.subs[k]["position"]) / each.quantity_scale
            for k, each in enumerate(self.instruments)
        }
        return Account(int(account.equity[i]) / ATOMS, held)

    def _signals(self, answered: object) -> list[Signal]:
        """Return what generate_signals answered as a list; PlainFault when it is something else."""
        if answered is None:
            return []
        given = (
            [answered] if isinstance(answered, Signal) else self.guard.call(list, cast("Iterable[object]", answered))
        )
        for each in given:
            if not isinstance(each, Signal):
                raise PlainFault(
                    self.name, f"generate_signals returned {each!r:.80}; return a list of crypto_bot.plain.Signal"
                )
        return cast("list[Signal]", given)

    def _wish(self, account: Lanes, whole: IntArray, signal: Signal, now_ns: int) -> None:
        symbols = [each.symbol for each in self.instruments]
        if signal.symbol not in symbols:
            raise PlainFault(
                self.name, f"a signal is for {signal.symbol}, which is not in this run: {', '.join(symbols)}"
            )
        k = symbols.index(signal.symbol)
        try:
            changed = wish(account, k, signal)
        except WrongSignal as error:
            raise PlainFault(self.name, f"a signal {error}") from None
        whole[UNTIL + k] = signal.valid_until_ns or 0
        if changed:
            told = Told(now_ns, k, str(signal.reason), signal.valid_until_ns)
            self.reasons[k] = told
            if self.listen is not None:
                self.listen(told)

    def _expire(self, account: Lanes, whole: IntArray, now_ns: int) -> None:
        """Withdraw every signal that has opened nothing by the time until which it was valid."""
        for k in range(len(self.instruments)):
            if whole[UNTIL + k] and now_ns >= whole[UNTIL + k]:
                whole[UNTIL + k] = 0
                if account.subs[k]["position"] == 0:
                    withdrawn = Signal(
                        self.instruments[k].symbol, share=0.0, quotes=(), reason="the signal has expired"
                    )
                    self._wish(account, whole, withdrawn, now_ns)
