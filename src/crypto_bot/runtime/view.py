"""What a run shows in the terminal: one line that is kept up to date, or a line now and then."""

import sys
from time import monotonic

from crypto_bot.domain.market import Slice
from crypto_bot.domain.units import ATOMS, format_time
from crypto_bot.kernel.layout import EMPTY
from crypto_bot.runtime.recover import Recovered

_LIVE_S, _PLAIN_S = 0.25, 10.0


class View:
    """Writes to stderr: in a terminal the line is overwritten, elsewhere a new one comes every ten seconds."""

    def __init__(self, cash: int, quote: str) -> None:
        """Begin with nothing shown."""
        self._cash, self._quote = cash, quote
        self._live = sys.stderr.isatty()
        self._shown = -_PLAIN_S
        self._first: int | None = None

    def __call__(self, item: Slice, run: Recovered) -> None:
        """Show a slice, if it is time to."""
        if self._first is None:
            self._first = item.bars[0].close
        if monotonic() - self._shown < (_LIVE_S if self._live else _PLAIN_S):
            return
        self._shown = monotonic()
        line = self._line(item, run)
        sys.stderr.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Leave the last line standing."""
        if self._live and self._shown > 0:
            sys.stderr.write("\n")

    def _line(self, item: Slice, run: Recovered) -> str:
        session = run.session
        world = session.stage.world
        instrument = session.names.instruments[0]
        price = instrument.price_text(item.bars[0].close)
        equity = session.equity
        change = equity / self._cash - 1
        hold = item.bars[0].close / self._first - 1 if self._first else 0.0
        orders = int((world.orders["state"] != EMPTY).sum())
        halted = "  HALTED" if session.halt else ""
        return (
            f"{format_time(item.time_ns)}  {instrument.symbol} {price}  "
            f"equity {equity / ATOMS:,.2f} {self._quote} ({change:+.2%}, hold {hold:+.2%})  "
            f"orders {orders}  fills {session.fills}{halted}"
        )
