"""What stops trading, and what lets it go on."""

from datetime import datetime

from crypto_bot.domain.errors import UsageError
from crypto_bot.kernel.layout import (
    COMMAND_EVENT,
    COMMAND_HALT,
    COMMAND_REBASE,
    COMMAND_RESUME,
    HALT_DAILY_LOSS,
    HALT_DRAWDOWN,
    HALT_LAW,
    HALT_LOSSES,
)
from crypto_bot.kernel.reasons import HALTS
from crypto_bot.risk import steps
from crypto_bot.risk.account import RiskAccount, moment


class CircuitBreaker:
    """Stops what opens: at a daily loss until 00:00 UTC, after losses in a row for a while, at a drawdown for good.

    What reduces a position always passes.
    """

    def __init__(self, account: RiskAccount) -> None:
        """Watch this account; what trips it is looked at whenever the account is marked or a trade is recorded."""
        self._account = account
        self.resets: list[str] = []

    @property
    def is_tripped(self) -> bool:
        """Whether nothing may be opened."""
        return bool(self._account.desk["halt"] != 0)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why nothing may be opened, in words; empty while it may."""
        return tuple(words for bit, words in HALTS.items() if self._account.desk["halt"] & bit)

    @property
    def reopens_at(self) -> datetime | None:
        """When trading goes on by itself; None while nothing is tripped, or when somebody has to reset it."""
        desk = self._account.desk
        halt = int(desk["halt"])
        if halt == 0 or halt & ~(HALT_DAILY_LOSS | HALT_LOSSES):
            return None
        ends = [int(desk["day_end"])] if halt & HALT_DAILY_LOSS else []
        ends += [int(desk["pause_end_ns"])] if halt & HALT_LOSSES else []
        return moment(max(ends))

    @property
    def is_on_probation(self) -> bool:
        """Whether a quarter is bought until a trip wins: so it is after losses in a row."""
        return bool(self._account.desk["probation"] != 0)

    @property
    def losses_in_a_row(self) -> int:
        """How many trips in a row have lost, since the last one that won."""
        return int(self._account.desk["losses"])

    def halt(self) -> None:
        """Stop what opens by hand."""
        self._command(COMMAND_HALT)

    def reset(self, reason: str, *, rebase_peak: bool = False) -> None:
        """Let trading go on, whatever stopped it; `reason` is kept in `resets`.

        After a drawdown the peak has to be counted anew, from the present equity: with the old one the next mark would
        stop trading again. UsageError without a reason, and for a drawdown without `rebase_peak`.
        """
        halt = int(self._account.desk["halt"])
        if not reason.strip():
            raise UsageError("a reset needs a reason: say why trading may go on")
        if halt & HALT_LAW:
            raise UsageError("the books broke one of their own laws; this account cannot go on")
        if halt & HALT_DRAWDOWN and not rebase_peak:
            raise UsageError("the drawdown is still there and would stop trading again; reset with rebase_peak=True")
        self.resets.append(reason)
        self._command(COMMAND_REBASE if rebase_peak else COMMAND_RESUME)

    def _command(self, code: int) -> None:
        event = self._account.world.event[0]
        event["kind"], event["code"] = COMMAND_EVENT, code
        steps.happen(self._account.world, int(self._account.desk["equity"]))
