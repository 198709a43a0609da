"""What a run shows in the terminal: its fills and one line that is kept up to date, or a line now and then."""

import shutil
import sys
from time import monotonic
from typing import TextIO

import msgspec

from crypto_bot.domain.market import Slice
from crypto_bot.domain.units import ATOMS, format_time
from crypto_bot.kernel.layout import EMPTY
from crypto_bot.persistence.payloads import FillEvent
from crypto_bot.runtime.running import Running

_LIVE_S, _PLAIN_S = 0.25, 10.0
_MOST_FILLS = 8
"""Fills told one by one between two updates; of more only their number is told."""
_CLEAR = "\r\x1b[2K"


class View:
    """Writes to a terminal a line that is overwritten, elsewhere a new line every ten seconds."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Begin with nothing shown; stderr unless told otherwise."""
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._shown: float | None = None
        self._last: tuple[Slice, Running] | None = None
        self._fills: list[str] = []
        self._missed = 0

    def __call__(self, item: Slice, run: Running) -> None:
        """Take in a slice, and show how the run stands if it is time to."""
        self._last = item, run
        if self._live:
            self._collect(run)
        now = monotonic()
        if self._shown is None or now - self._shown >= (_LIVE_S if self._live else _PLAIN_S):
            self._shown = now
            self._show(item, run)

    def close(self) -> None:
        """Leave the last line standing."""
        if self._live and self._last is not None:
            self._show(*self._last)
            self._write("\n")

    def _collect(self, run: Running) -> None:
        for entry in run.news:
            if entry.kind == "FILL":
                if len(self._fills) < _MOST_FILLS:
                    self._fills.append(entry.payload)
                else:
                    self._missed += 1

    def _show(self, item: Slice, run: Running) -> None:
        if not self._live:
            self._write(f"{self._line(item, run)}\n")
            return
        told = [_fill_line(payload, run) for payload in self._fills]
        if self._missed:
            told.append(f"  and {self._missed} more fills")
        self._fills, self._missed = [], 0
        width = shutil.get_terminal_size().columns - 1
        self._write(_CLEAR + "".join(f"{line[:width]}\n" for line in told) + self._line(item, run)[:width])

    def _line(self, item: Slice, run: Running) -> str:
        session = run.session
        instruments = session.names.instruments
        prices = "  ".join(
            f"{each.symbol} {each.price_text(bar.close)}"
            for each, bar in zip(instruments, item.bars, strict=True)
            if bar is not None
        )
        closes = zip(session.reel.last_closes(), session.first_closes(), strict=True)
        hold = sum(last / first if first else 1.0 for last, first in closes) / len(item.bars)
        orders = int((session.stage.world.orders["state"] != EMPTY).sum())
        # What a narrow terminal cuts off comes last.
        return (
            f"{_minute(item.time_ns)}  {'HALTED  ' if session.halt else ''}{prices}"
            f"  equity {session.equity / ATOMS:,.2f} {instruments[0].quote} {session.equity / session.cash - 1:+.2%}"
            f"  {session.fills} fills  {orders} orders  holding {hold - 1:+.2%}"
        )

    def _write(self, text: str) -> None:
        """Show it, unless nobody can read it any more: a run outlives its terminal."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._live = False


def _fill_line(payload: str, run: Running) -> str:
    fill = msgspec.json.decode(payload, type=FillEvent)
    names = run.session.names
    instrument = names.instruments[fill.instrument]
    side = "bought" if fill.side > 0 else "sold"
    return (
        f"  {_minute(fill.time)}  {names.strategies[fill.strategy]} {side}"
        f" {instrument.quantity_text(fill.quantity)} {instrument.base} at {instrument.price_text(fill.price)}"
    )


def _minute(time_ns: int) -> str:
    return format_time(time_ns)[:16].replace("T", " ")
