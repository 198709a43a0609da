"""The composition root: settings in, a running bot out."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crypto_bot.api.token import load_token
from crypto_bot.config.modes import arrange
from crypto_bot.config.settings import Settings
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.market import Slice
from crypto_bot.domain.units import ATOMS, format_scaled
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.lock import StateLock
from crypto_bot.persistence.runs import RunRecord, Runs, new_run_id
from crypto_bot.runtime.arranging import arrange_run
from crypto_bot.runtime.drive import Brake, drive
from crypto_bot.runtime.recover import Recovered, recover
from crypto_bot.runtime.view import View
from crypto_bot.runtime.web import Web, WebPlace


@dataclass(frozen=True)
class RunRequest:
    """What a command line adds to the settings: parameters by strategy, and how to end."""

    params: dict[str, dict[str, str]]
    duration_s: float | None = None
    quiet: bool = False


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind."""

    run_id: str
    bars: int
    fills: int
    final_equity: str
    decisions_hash: str
    ended: bool

    def document(self) -> dict[str, Any]:
        """Return the promised keys."""
        return {
            "run_id": self.run_id,
            "bars": self.bars,
            "fills": self.fills,
            "final_equity": self.final_equity,
            "decisions_hash": self.decisions_hash,
        }


class TradingBot:
    """One bot on one state folder: it recovers, trades until it is stopped or the prices end, and leaves its books."""

    def __init__(self, settings: Settings, request: RunRequest) -> None:
        """Check what is asked; UsageError or DataError say what is wrong before anything is written."""
        self.settings = settings
        self.request = request
        arrangement = arrange(settings)
        if "exchange" in (arrangement.prices, arrangement.fills):
            raise UsageError(
                "this version has no exchange connection yet: use [data] feed = recorded or synthetic in mode forward"
            )
        self._arranged = arrange_run(settings, arrangement.mode, arrangement.prices, request.params)
        self.plan = self._arranged.plan

    def run(self) -> RunResult:
        """Trade until the prices end or a signal comes; durable whatever happens."""
        settings = self.settings
        with StateLock(settings.state_folder), Database.open(settings.database.url.get_secret_value()) as database:
            runs = Runs(database)
            record = runs.resumable(manifest=self.plan.manifest())
            if record is None:
                record = self._new_record()
                runs.start(record)
            else:
                runs.go_on(record.run_id)
            try:
                result = asyncio.run(self._run(database, record.run_id))
            except BaseException:
                runs.finish(record.run_id, "failed", "{}", ended_ns=_now_ns())
                raise
            state = "finished" if result.ended else "stopped"
            runs.finish(record.run_id, state, json.dumps(result.document()), ended_ns=_now_ns())
            return result

    def _new_record(self) -> RunRecord:
        run_id = new_run_id(datetime.now(UTC), os.urandom(2))
        return RunRecord(run_id, "run", self.plan.mode, "running", _now_ns(), manifest=self.plan.manifest())

    async def _run(self, database: Database, run_id: str) -> RunResult:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if self.request.duration_s is not None:
            loop.call_later(self.request.duration_s, stop.set)
        web = await self._web()
        view = View(self.plan.simulation.cash, self.plan.instruments[0].quote)
        try:
            with Journal(database, run_id) as journal:
                recovered = recover(journal, self.plan, self._arranged.history)
                self._tell(run_id, recovered)
                brake = Brake(stop, self.settings.state_folder / "HALT")
                watch = _look_away if self.request.quiet else view
                ended = await drive(recovered, self._arranged.feed, journal, brake, self.plan.code, watch)
        finally:
            view.close()
            if web is not None:
                await web.stop()
        session = recovered.session
        equity = format_scaled(session.equity, ATOMS)
        return RunResult(run_id, recovered.bars, session.fills, equity, session.decisions_hash, ended)

    async def _web(self) -> Web | None:
        settings = self.settings
        if not settings.api.enabled:
            return None
        place = WebPlace(
            settings.state_folder, settings.database.url.get_secret_value(), settings.api.host, settings.api.port
        )
        web = Web(place)
        url = await web.start()
        token = load_token(settings.state_folder, os.environ)
        sys.stderr.write(f"dashboard: {url}/#token={token}\n")
        return web

    def _tell(self, run_id: str, recovered: Recovered) -> None:
        if self.request.quiet:
            return
        names = ", ".join(recovered.session.names.strategies)
        symbols = ", ".join(i.symbol for i in self.plan.instruments)
        on = f", going on after {recovered.bars} bars" if recovered.bars else ""
        sys.stderr.write(f"run {run_id}: {names} on {symbols} {self.plan.timeframe}, {self.plan.mode}{on}\n")


def _look_away(_item: Slice, _run: Recovered) -> None:
    """Show nothing."""


def _now_ns() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000) * 1_000
