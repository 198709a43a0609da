"""What of the journal's rows somebody has to be told: alerts, written in the transaction that writes the rows."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine.interfaces import DBAPICursor

from crypto_bot.domain.units import DAY_NS
from crypto_bot.persistence.audit import Deed
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Companion
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    FaultEvent,
    OrderEvent,
    Parameter,
    StopEvent,
    decode_outcome,
    decode_payload,
)
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.unit_of_work import UnitOfWork

CHANNEL = "log"
"""Where these alerts go: they are read in the table."""

_ROUTINE = ("smallest order", "left to sell", "is halted")
"""Reasons for which orders are refused as a matter of course."""
_SAID = {
    "halt": "Halted", "resume": "Resumed", "reset": "Circuit breaker reset", "flatten": "Flattened and halted",
    "emergency_stop": "Emergency stop", "cancel": "Order cancelled", "cancel_all": "Orders cancelled",
    "strategy_off": "Strategy stopped", "strategy_on": "Strategy started", "parameters": "Parameters changed",
}  # fmt: skip
_LOUD = ("halt", "flatten", "emergency_stop")


class Alert(NamedTuple):
    """One alert before it has a number."""

    time_ns: int
    severity: str
    message: str


class Watch:
    """Writes alerts for the rows of a run; used by the journal inside its transactions."""

    def __init__(self, database: Database, *, wall: Callable[[], int] = time.time_ns) -> None:
        """Name the database; `wall` is the clock of the audit log, UTC ns."""
        mark = "?" if database.is_file else "%s"
        self._database, self._wall = database, wall
        self._told: set[tuple[int, str]] = set()
        alert = "timestamp, severity, channel, message, delivered"
        self._alert = f"INSERT INTO alert_logs ({alert}) VALUES ({', '.join([mark] * 5)})"  # noqa: S608 # nosec B608: our own names

    def write(self, cursor: DBAPICursor, rows: Sequence[JournalRow]) -> None:
        """Write what follows from new rows, in their open transaction."""
        for row in rows:
            for alert in self._alerts(row):
                cursor.execute(self._alert, (alert.time_ns, alert.severity, CHANNEL, alert.message, True))

    def forget(self) -> None:
        """Nothing is remembered of a transaction that failed."""

    def refused(self, command: CommandEvent, why: str) -> None:
        """Write a command that was not carried out into the audit log; those that were come there with their rows."""
        asked = msgspec.json.decode(msgspec.json.encode(command), type=dict[str, Parameter | dict[str, Parameter]])
        details = {name: value for name, value in asked.items() if name not in ("by", "origin", "command")}
        origin = command.origin if isinstance(command.origin, str) else ""
        text = msgspec.json.encode(details).decode()
        with UnitOfWork(self._database) as work:
            work.audit.add(Deed(self._wall(), command.by, origin, command.command, f"refused: {why}", text))
            work.commit()

    def _alerts(self, row: JournalRow) -> Iterator[Alert]:
        command = None
        if row.kind == "COMMAND":
            command = decode_payload(row, CommandEvent)
            yield _ordered(row, command)
        elif row.kind == "FAULT":
            fault = decode_payload(row, FaultEvent)
            yield Alert(row.time_ns, "error", f"{fault.name} is switched off: {fault.reason}.")
        elif row.kind == "STOP":
            yield Alert(row.time_ns, "info", f"The run stopped: {decode_payload(row, StopEvent).reason}.")
        elif row.kind == "ORDER" and (event := decode_payload(row, OrderEvent)).state in ("rejected", "unknown"):
            yield from self._once(row, f"The exchange says {event.state} of order {event.order}.")
        if row.outcome == "{}":
            return
        for decision in decode_outcome(row).decisions:
            if decision.kind == "halt" and command is None:
                yield Alert(row.time_ns, "error", f"Trading is halted by {decision.reason}; nothing is opened.")
            elif decision.kind == "resume" and command is None:
                yield Alert(row.time_ns, "info", f"Trading goes on: the halt by {decision.reason} is over.")
            elif decision.kind == "refused" and not any(word in (decision.reason or "") for word in _ROUTINE):
                yield from self._once(row, _refused(decision))

    def _once(self, row: JournalRow, message: str) -> Iterator[Alert]:
        """Tell a thing once a day: what is refused is often asked for again at the next bar."""
        day = row.time_ns // DAY_NS
        if (day, message) not in self._told:
            self._told = {each for each in self._told if each[0] == day} | {(day, message)}
            yield Alert(row.time_ns, "warning", message)


class Together:
    """Several companions of a journal as one."""

    def __init__(self, *companions: Companion) -> None:
        """Name them in the order they write."""
        self._companions = companions

    def write(self, cursor: DBAPICursor, rows: Sequence[JournalRow]) -> None:
        """Let each write what follows from new rows."""
        for companion in self._companions:
            companion.write(cursor, rows)

    def forget(self) -> None:
        """Let each drop what it remembers of a transaction that failed."""
        for companion in self._companions:
            companion.forget()


def _ordered(row: JournalRow, command: CommandEvent) -> Alert:
    said = _SAID.get(command.command, command.command)
    what = command.strategy if isinstance(command.strategy, str) else command.symbol
    named = f" ({what})" if isinstance(what, str) else ""
    number = f" {command.order}" if isinstance(command.order, int) else ""
    why = f": {command.reason}" if command.reason else ""
    severity = "warning" if command.command in _LOUD else "info"
    return Alert(row.time_ns, severity, f"{said}{number}{named} by {command.by or 'somebody'}{why}.")


def _refused(decision: Decision) -> str:
    return (
        f"An order of {decision.strategy} to {decision.side} {decision.symbol} was refused: {decision.reason};"
        " told once a day."
    )
