"""What a class answers from bar to bar, written as wishes, and why it said so."""

from collections.abc import Coroutine, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import format_time
from crypto_bot.kernel.layout import Account as Lanes
from crypto_bot.plain.guard import PlainFault
from crypto_bot.plain.wishes import WrongSignal, valid_until, wish
from crypto_bot.plain.words import Signal

UNTIL = 16
"""Where in the memory the times stand until which signals are valid, one for each symbol; 0 is for ever."""


@dataclass(frozen=True, slots=True)
class Told:
    """Why a signal was given: what the class said, at the close of which slice, about which symbol."""

    time_ns: int
    instrument: int
    reason: str
    valid_until_ns: int | None


class Speaker(Protocol):
    """Who answers: its name, what it trades, and where the reasons of its wishes are kept."""

    @property
    def name(self) -> str:
        """The strategy's name."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The instruments of the run."""

    @property
    def reasons(self) -> MutableMapping[int, Told]:
        """The newest reason by the number of the instrument."""


class Answers:
    """The answers of one walk over bars in which nobody else changes what is wished for."""

    def __init__(self, speaker: Speaker, account: Lanes, whole: IntArray) -> None:
        """Begin with what was wished for before."""
        self._speaker, self._account, self._whole = speaker, account, whole
        self._places = {each.symbol: k for k, each in enumerate(speaker.instruments)}
        self._timed = bool(whole[UNTIL : UNTIL + len(self._places)].any())
        self._last: dict[int, Signal] = {}

    def held(self) -> dict[str, float]:
        """Return the quantities that are held, by symbol; less than a lot is nothing, as `position` says."""
        return {
            each.symbol: self._position(k) / each.quantity_scale for k, each in enumerate(self._speaker.instruments)
        }

    def _position(self, k: int) -> int:
        held = int(self._account.subs[k]["position"])
        return held if held >= self._speaker.instruments[k].lot else 0

    def take(self, answered: object, now_ns: int) -> bool:
        """Write what was answered at the close of a bar; True when that changes what is wished for.

        PlainFault: it is no list of signals, or one asks for what cannot be.
        """
        changed = self._timed and self._expire(now_ns)
        for signal in self._signals(answered):
            changed = self._wish(signal, now_ns) or changed
        return changed

    def _signals(self, answered: object) -> Iterable[Signal]:
        if answered is None:
            return ()
        if isinstance(answered, Signal):
            return (answered,)
        listed = isinstance(answered, list | tuple)
        if not listed and (not isinstance(answered, Iterable) or isinstance(answered, str | bytes | Mapping)):
            raise self._no_signals(answered)
        given = list(cast("Iterable[object]", answered))
        for each in given:
            if not isinstance(each, Signal):
                raise self._no_signals(each)
        return cast("list[Signal]", given)

    def _no_signals(self, answered: object) -> PlainFault:
        if isinstance(answered, Coroutine):
            answered.close()
            text = "generate_signals is async; write it as def generate_signals(self, account)"
        else:
            text = f"generate_signals returned {repr(answered)[:80]}; return a list of crypto_bot.plain.Signal"
        return PlainFault(self._speaker.name, text)

    def _wish(self, signal: Signal, now_ns: int) -> bool:
        symbol: object = signal.symbol
        k = self._places.get(symbol) if isinstance(symbol, str) else None
        if k is None:
            which = f"is for {repr(symbol)[:80]}, which is not in this run: {', '.join(self._places)}"
            raise wrong_signal(self._speaker.name, now_ns, which)
        last = self._last.get(k)
        if last is not None and _wants(last) == _wants(signal):
            return False
        try:
            until_ns = valid_until(signal)
            changed = wish(self._account, k, signal)
        except WrongSignal as error:
            raise wrong_signal(self._speaker.name, now_ns, str(error)) from None
        self._last[k] = signal
        self._whole[UNTIL + k] = until_ns or 0
        self._timed = self._timed or until_ns is not None
        if changed:
            self._speaker.reasons[k] = Told(now_ns, k, str(signal.reason), until_ns)
        return changed

    def _expire(self, now_ns: int) -> bool:
        """Withdraw every signal that has opened nothing by the time until which it was valid."""
        whole, changed = self._whole, False
        for symbol, k in self._places.items():
            if whole[UNTIL + k] and now_ns >= whole[UNTIL + k]:
                whole[UNTIL + k] = 0
                if self._position(k) == 0:
                    withdrawn = Signal(symbol, share=0.0, quotes=(), reason="the signal has expired")
                    changed = self._wish(withdrawn, now_ns) or changed
        return changed


def _wants(signal: Signal) -> tuple[object, ...]:
    return (
        signal.share,
        signal.quantity,
        signal.stop,
        signal.take_profit,
        signal.quotes,
        signal.valid_until_ns,
    )


def wrong_signal(name: str, now_ns: int, what: str) -> PlainFault:
    """Return the fault of a class whose signal at the close of a bar asks for what cannot be."""
    return PlainFault(name, f"a signal at {format_time(now_ns)} {what}")
