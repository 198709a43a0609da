"""The composition root: settings in, a running bot out."""

import asyncio
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crypto_bot.api.listen import listen, url_of
from crypto_bot.api.token import VARIABLE, load_token
from crypto_bot.backtesting.choosing import GivenParameters
from crypto_bot.config.logs import configure_logging
from crypto_bot.config.modes import arrange
from crypto_bot.config.settings import Settings
from crypto_bot.domain.errors import CryptoBotError, UsageError
from crypto_bot.domain.units import ATOMS, format_scaled
from crypto_bot.persistence.lock import StateLock
from crypto_bot.runtime.arranging import arrange_run
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.web import Web, WebPlace, harmless

if TYPE_CHECKING:
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.runs import RunRecord, Runs
    from crypto_bot.runtime.running import Running

_LEAVING_S = 3.0
"""How long the address may still belong to the web process of an engine that was killed."""
_LAST_LOOK_S = 1.5
"""How long the page is served after the last price, so that it learns that the run is over."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRequest:
    """What a command line adds to the settings: parameters by strategy, how to end, and what to tell.

    `before_compiling` is called at the moment from which the compiler may be needed.
    """

    params: GivenParameters
    duration_s: float | None = None
    quiet: bool = False
    before_compiling: Callable[[], None] | None = None


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind.

    `bars` are those of all symbols together, `ended` when its prices were used up, `faults` of strategies that were
    switched off.
    """

    run_id: str
    bars: int
    fills: int
    final_equity: str
    decisions_hash: str
    ended: bool
    faults: tuple[str, ...] = ()

    def document(self) -> dict[str, str | int]:
        """Return the promised keys."""
        return {name: value for name, value in asdict(self).items() if name not in ("ended", "faults")}


class TradingBot:
    """One bot on one state folder: it recovers, trades until it is stopped or the prices end, and leaves its books."""

    def __init__(self, settings: Settings, request: RunRequest) -> None:
        """Check what is asked; UsageError or DataError say what is wrong before anything is compiled or written."""
        self.settings = settings
        self.request = request
        arrangement = arrange(settings)
        if "exchange" in (arrangement.prices, arrangement.fills):
            raise UsageError(
                "this version has no connection to an exchange yet; with [general] mode = forward and [data] feed ="
                " recorded or synthetic it trades simulated money"
            )
        self._arranged = arrange_run(settings, arrangement, request.params)
        self.plan = self._arranged.plan
        self._brake = Brake(settings.state_folder / "HALT")

    def run(self) -> RunResult:
        """Trade until the prices end, the time is up or a signal comes; what was written stays whatever happens.

        Raises UsageError when another process has the state folder or the API's address, RunFailed and
        DataError for what stands in the way of going on.
        """
        with ExitStack() as held:
            held.enter_context(self._brake.on_signals())
            held.enter_context(StateLock(self.settings.state_folder))
            configure_logging(
                self.settings.logging.level, self.settings.log_folder, secrets=self.settings.secret_values()
            )
            web = self._web()
            if web is not None:
                held.enter_context(web)
            if self.request.before_compiling is not None:
                self.request.before_compiling()
            from crypto_bot.backtesting.compiling import compile_kernel

            compile_kernel()
            from crypto_bot.persistence.database import Database

            database = held.enter_context(Database.open(self.settings.database.url.get_secret_value()))
            result = self._on_record(database, web)
            if result.ended and web is not None:
                time.sleep(_LAST_LOOK_S)
        return result

    def stop(self, reason: str = "stopped") -> None:
        """Ask the run to end in order; safe from another thread."""
        self._brake.pull(reason)

    def _on_record(self, database: "Database", web: Web | None) -> RunResult:
        """Run, and keep the row of the run true: what it is, how it stands, how it ended."""
        from crypto_bot.persistence.journal import Journal
        from crypto_bot.persistence.projecting import Projector
        from crypto_bot.persistence.runs import Runs
        from crypto_bot.persistence.watching import Together, Watch
        from crypto_bot.runtime.recover import recover

        runs = Runs(database)
        going_on = runs.resumable(manifest=self.plan.manifest())
        record = going_on or self._new_record(runs)
        try:
            watch = Watch(database)
            with Journal(database, record.run_id, Together(Projector(database, record.run_id), watch)) as journal:
                run = recover(journal, self.plan, self._arranged.history)
                run.refused = watch.refused
                runs.go_on(record.run_id)
                going_on = None
                self._tell(record.run_id, run)
                ended = asyncio.run(self._drive(run, web))
        except BaseException:
            if going_on is None:  # a run that could not be brought back stays as it was
                with suppress(CryptoBotError):
                    runs.finish(record.run_id, "failed", "{}", ended_ns=time.time_ns())
            raise
        from crypto_bot.backtesting.several import faults

        session, bars = run.session, run.bars * len(self.plan.instruments)
        equity, wrong = format_scaled(session.equity, ATOMS), faults(session.stage)
        result = RunResult(record.run_id, bars, session.fills, equity, session.decisions_hash, ended, wrong)
        state = "finished" if ended else "stopped"
        runs.finish(record.run_id, state, json.dumps(result.document()), ended_ns=time.time_ns())
        log.info("run %s %s after %d bars: %s", result.run_id, state, result.bars, result.decisions_hash)
        return result

    def _new_record(self, runs: "Runs") -> "RunRecord":
        from crypto_bot.persistence.runs import RunRecord, new_run_id

        manifest = self.plan.manifest()
        run_id = new_run_id(datetime.now(UTC), os.urandom(2))
        record = RunRecord(run_id, "run", self.plan.mode, "running", time.time_ns(), manifest=manifest)
        runs.start(record)
        return record

    async def _drive(self, run: "Running", web: Web | None) -> bool:
        from crypto_bot.runtime.drive import drive
        from crypto_bot.runtime.inbox import Inbox
        from crypto_bot.runtime.intervening import rehearse
        from crypto_bot.runtime.view import View

        rehearse(run.session)
        gc.collect()
        gc.freeze()  # looking through all modules for cycles takes a tenth of a second, in the middle of an order
        loop = asyncio.get_running_loop()
        if self.request.duration_s is not None:
            loop.call_later(self.request.duration_s, self.stop, "the time is up")
        keeping = None if web is None else loop.create_task(web.keep_alive())
        view = None if self.request.quiet else View()
        try:
            inbox = Inbox()
            async with inbox.open_at(self.settings.state_folder):
                return await drive(run, self._arranged.feed, self._brake, view, inbox)
        finally:
            gc.unfreeze()
            if keeping is not None:
                keeping.cancel()
            if view is not None:
                view.close()

    def _web(self) -> Web | None:
        """Take the API's address and start the web process; nobody waits until it answers."""
        api, state = self.settings.api, self.settings.state_folder
        if not api.enabled:
            return None
        given = self.settings.secrets.api_token
        token = load_token(state, {VARIABLE: given.get_secret_value() if given is not None else ""})
        advice = "choose another with --api-port, or go without with --no-api"
        listener = listen(api.host, api.port, patience_s=_LEAVING_S, advice=advice)
        database = self.settings.database.url.get_secret_value()
        place = WebPlace(
            state,
            database,
            api.host,
            {**harmless(os.environ), VARIABLE: token},
            self.settings.log_folder / "web.log",
            api.allowed_origins,
            self.settings.logging.level.upper(),
        )
        sys.stderr.write(f"dashboard: {url_of(listener)}/#token={token}\n")
        return Web(place, listener)

    def _tell(self, run_id: str, run: "Running") -> None:
        """Say what begins, or goes on."""
        plan = self.plan
        symbols = ", ".join(instrument.symbol for instrument in plan.instruments)
        on = f", going on after {run.bars} bars" if run.bars else ""
        line = f"run {run_id}: {', '.join(run.session.names.strategies)} on {symbols} {plan.timeframe}, {plan.mode}{on}"
        log.info(line)
        if not self.request.quiet:
            sys.stderr.write(
                "".join(f"{said}\n" for said in (line, *(f"note: {each}" for each in self._arranged.remarks)))
            )
