"""How a run stands, told by the engine itself."""

import os

from crypto_bot.domain.units import ATOMS, format_scaled, format_time
from crypto_bot.kernel.layout import EMPTY
from crypto_bot.kernel.reasons import HALTS
from crypto_bot.runtime.line import Standing
from crypto_bot.runtime.running import Running


def standing_of(run: Running) -> Standing:
    """Tell how a run stands between two events."""
    session, names = run.session, run.session.names
    world = session.stage.world
    held = {
        each.symbol: each.quantity_text(int(world.book[k]["position"]))
        for k, each in enumerate(names.instruments)
        if int(world.book[k]["position"])
    }
    failed = session.stage.failed
    states = {
        name: "failed" if s in failed else "off" if s in session.off else "on"
        for s, name in enumerate(names.strategies)
    }
    return Standing(
        run_id=run.journal.run_id,
        mode=session.mode,
        state="halted" if session.halt else "running",
        halted_by=[words for bit, words in HALTS.items() if session.halt & bit],
        time=format_time(session.time_ns),
        sequence=run.recorder.sequence,
        bars=run.bars,
        fills=session.fills,
        open_orders=int((world.orders["state"] != EMPTY).sum()),
        quote=names.instruments[0].quote,
        initial_equity=format_scaled(session.cash, ATOMS),
        equity=format_scaled(session.equity, ATOMS),
        positions=held,
        strategies=states,
        pid=os.getpid(),
    )
