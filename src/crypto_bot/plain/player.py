"""One plain class at work: it is shown slices and fills, and what it answers is written as wishes."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import repeat
from typing import Protocol, cast

import numpy as np

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import timeframe_name
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.context import BAR_NS, NEXT, WARMUP
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PRESENT, VOLUMES, Market, Memory
from crypto_bot.kernel.layout import Account as Lanes
from crypto_bot.plain.answers import Answers, Told, wrong_signal
from crypto_bot.plain.guard import Guard, PlainFault
from crypto_bot.plain.wishes import WrongSignal, share_in_ppm
from crypto_bot.plain.words import Account, Filled, PriceBar, Shown, Signal

_BLOCK = 1024
_AS_PRICE_BAR = cast("Callable[[type[PriceBar], tuple[float, ...]], PriceBar]", tuple.__new__)
"""Makes a bar of a plain tuple in half the time of its own constructor."""


class Made(Protocol):
    """An object of a user's class; only `on_data` has to be there."""

    def on_data(self, shown: Shown | PriceBar) -> float | None:
        """Learn what has closed."""


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
    shown: int = 0
    ahead: object = None
    is_over: bool = False

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.guard.name

    @property
    def is_simple(self) -> bool:
        """Whether `on_data` itself answers with a share, as a class without `generate_signals` does."""
        return not hasattr(self.object(), "generate_signals")

    def walk(self, market: Market, first: int, stop: int, account: Lanes, memory: Memory) -> int:
        """Show base bars first .. stop-1; the class decides on each that it is warm for.

        Returns behind the first bar at whose close another wish was made, and stop when there was none.
        """
        self.object()
        with np.errstate(divide="warn", invalid="warn", over="warn", under="ignore"):
            work = partial(self._walk, market, first, stop, account, memory.whole)
            return self.guard.watched(work, doing="on_data", reached=self._count)

    def prices(self, market: Market, begin: int, end: int, k: int, opened: Iterable[int]) -> Iterator[PriceBar]:
        """Yield an instrument's own bars begin .. end-1 as decimals; `opened` gives their times."""
        instrument = self.instruments[k]
        scales = [instrument.price_scale] * 4 + [instrument.quantity_scale]
        planes = (OPENS, HIGHS, LOWS, CLOSES, VOLUMES)
        rows = [(market.own[plane, begin:end, k] / scale).tolist() for plane, scale in zip(planes, scales, strict=True)]
        return map(_AS_PRICE_BAR, repeat(PriceBar), zip(opened, *rows, strict=False))

    def share_in_ppm(self, share: object, now_ns: int) -> int:
        """Return a share that was answered at the close of a bar in parts per million, as `target` rounds it.

        PlainFault: it is no share.
        """
        try:
            return share_in_ppm(share, self.instruments[0].symbol)
        except WrongSignal as error:
            raise wrong_signal(self.name, now_ns, str(error)) from None

    def hear(self, filled: Filled) -> None:
        """Take in a fill; the class is told of it before the next slice."""
        if not self.is_over:
            self.fills.append(filled)

    def state(self) -> str | None:
        """Return what the class keeps, as JSON text; None when it has no `get_state`."""
        get_state = getattr(self.object(), "get_state", None)
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
        from_state = getattr(self.object(), "from_state", None)
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

    def end(self) -> None:
        """Let go of the class, which failed: it is told nothing more."""
        self.is_over, self.made, self.fills = True, None, []
        self.guard.release()

    def object(self) -> Made:
        """Return the object; at the first need it is made, and told what it will be shown."""
        if self.made is None:
            self.made = self.guard.watched(self.make, doing="__init__")
            on_start = getattr(self.made, "on_start", None)
            if on_start is not None:
                self.guard.call(on_start, tuple(each.symbol for each in self.instruments), timeframe_name(self.run_ns))
        return self.made

    def _count(self) -> int:
        return self.shown

    def _walk(self, market: Market, first: int, stop: int, account: Lanes, whole: IntArray) -> int:
        """Show what becomes known in first .. stop-1: own bars, of which two may come with one base bar."""
        has_own = market.due.size > 0
        begin = int(whole[NEXT]) if has_own else first
        end = int(np.searchsorted(market.due, stop - 1, "right")) if has_own else stop
        if begin >= end:
            return stop
        made, simple = cast(Made, self.made), self.is_simple
        if simple and len(self.instruments) > 1:
            raise PlainFault(self.name, "on_data answers for one symbol; give the class generate_signals for more")
        self._tell_fills(made)
        answers = Answers(self, account, whole)
        known = [max(first, i) for i in market.due[begin:end].tolist()] if has_own else range(first, stop)
        held, changed, last = answers.held(), False, first
        for own, i, shown in zip(range(begin, end), known, self._stream(market, begin, end, known, whole), strict=True):
            if changed and i > last:
                return last + 1
            if has_own:
                whole[NEXT] = own + 1
            last = i
            self.shown += 1
            self.guard.doing = "on_data"
            share = made.on_data(shown.bars[self.instruments[0].symbol] if simple else shown)
            signals: object = [Signal(self.instruments[0].symbol, share=share)] if simple and share is not None else []
            if own + 1 < whole[WARMUP]:
                continue
            if not simple:
                self.guard.doing = "generate_signals"
                seen = Account(int(account.equity[i]) / ATOMS, dict(held))
                signals = made.generate_signals(seen)  # type: ignore[attr-defined] # asked for above
            changed = answers.take(signals, shown.time_ns) or changed
        return last + 1 if changed else stop

    def _tell_fills(self, made: Made) -> None:
        fills, self.fills = self.fills, []
        on_order_filled = getattr(made, "on_order_filled", None)
        if on_order_filled is not None:
            self.guard.doing = "on_order_filled"
            for filled in fills:
                on_order_filled(filled)
                self.shown += 1

    def _stream(self, market: Market, begin: int, end: int, known: Sequence[int], whole: IntArray) -> Iterator[Shown]:
        """Yield own bars begin .. end-1 of all instruments that have them; each is known with its base bar."""
        symbols = [each.symbol for each in self.instruments]
        has_gaps = market.own.shape[0] > PRESENT
        for a in range(begin, end, _BLOCK):
            z = min(end, a + _BLOCK)
            base = known[a - begin : z - begin]
            times = market.times[base.start : base.stop] if isinstance(base, range) else market.times[np.array(base)]
            closed = (times + whole[BAR_NS]).tolist()
            opened = [each - self.run_ns for each in closed]
            bars = [self.prices(market, a, z, k, opened) for k in range(len(symbols))]
            for j, (now_ns, *slice_) in enumerate(zip(closed, *bars, strict=True)):
                found = dict(zip(symbols, slice_, strict=True))
                if has_gaps:
                    here = market.own[PRESENT, a + j]
                    found = {symbol: bar for k, (symbol, bar) in enumerate(found.items()) if here[k]}
                yield Shown(now_ns, found)
