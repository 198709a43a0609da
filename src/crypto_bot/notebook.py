"""The Python API: candles and backtests for scripts and notebooks.

    from crypto_bot import backtest, candles

    result = backtest("simple_ma", "BTC/USDT", timeframe="1h", start="2023-06-01", cash=10_000)
    result.metrics["total_return"], result.equity, result.trades
    result.report("result.html")

Settings are named like the flags of the command `backtest`. Nothing is read but the archive, and nothing is written.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.choosing import by_strategy
from crypto_bot.backtesting.loading import CandleSource, Held, Window
from crypto_bot.backtesting.request import SETTING_OF, Finished, Request, carry_out, refuse_promised
from crypto_bot.config.settings import Settings, load_settings
from crypto_bot.data.archive import Archive
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.market import Candles

if TYPE_CHECKING:
    import polars as pl

    from crypto_bot.backtesting.bracket import Bracket
    from crypto_bot.backtesting.summary import Summary

Moment: TypeAlias = str | date | datetime
"""An ISO 8601 text, a date or a time; without a zone it is UTC."""

Parameters: TypeAlias = Mapping[str, "Given | Mapping[str, Given]"]
"""Parameters by name; for several strategies by NAME.k, or as a mapping for each name."""

Setting: TypeAlias = str | int | float | Decimal | Path | date | Parameters | None
"""What a setting may be; None leaves it as it is."""

_OTHERS = ("params", "start", "end", "data", "config", "detail_timeframe", "feed", "isolation", "offline")


class Result:
    """What a backtest found: figures, frames, the report. It shows itself in a notebook."""

    def __init__(self, finished: Finished) -> None:
        """Measure a finished backtest."""
        from crypto_bot.backtesting.metrics import measure
        from crypto_bot.persistence.run_record import new_run_id

        self.outcome = finished.outcome
        self._finished = finished
        self._bracket: Bracket | None = None
        self._measured = measure(finished.outcome)
        self._label = finished.label(new_run_id(datetime.now(UTC), os.urandom(2)))

    @property
    def metrics(self) -> "Summary":
        """All figures, with the keys of `backtest --json`: money as exact text, ratios as numbers."""
        from crypto_bot.backtesting.summary import summarise

        return summarise(self.outcome, self._measured, self._label, self._bracket)

    @property
    def equity(self) -> "pl.DataFrame":
        """A polars frame with one row per bar: `time`, the bar's open, and `equity` at its close, as a float."""
        from crypto_bot.backtesting.frames import equity_frame

        return equity_frame(self.outcome)

    @property
    def trades(self) -> "pl.DataFrame":
        """A polars frame of fills and round trips with the columns of `backtest --trades`, numbers as floats."""
        from crypto_bot.backtesting.frames import trades_frame

        return trades_frame(self.outcome, self._measured)

    def bracket(self) -> "pl.DataFrame":
        """Repeat the run under every way of filling and return what each comes to, the run's own first.

        From then on figures, report and display tell the range as well. Raises DataError or RunFailed.
        """
        from crypto_bot.backtesting.bracket import bracket_of
        from crypto_bot.backtesting.frames import bracket_frame

        if self._bracket is None:
            self._bracket = bracket_of(self._finished)
        return bracket_frame(self._bracket)

    def report(self, path: str | Path) -> Path:
        """Write the HTML report and return where it is; UsageError when it cannot be written."""
        from crypto_bot.backtesting.report import write_report

        place = Path(path).expanduser()
        write_report(self.outcome, self._measured, self._label, place, bracket=self._bracket)
        return place

    def __repr__(self) -> str:
        """Return the summary that the command prints."""
        from crypto_bot.backtesting.terminal import terminal_summary

        return terminal_summary(self.outcome, self._measured, self._label, self._bracket)

    def _repr_html_(self) -> str:
        """Return figures and equity chart for a notebook."""
        from crypto_bot.backtesting.display import display

        return display(self.outcome, self._measured, self._bracket)


def candles(
    symbol: str,
    timeframe: str,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    exchange: str = "binance",
    data: str | Path = "data",
) -> Candles:
    """Return candles of the archive in the folder `data`, or of those that come with the program.

    `start` and `end` are open times, both inclusive; a date as `end` means its whole day. Raises
    UsageError for a name that is none, DataError for candles that are not there.
    """
    window = Window.of(_moment("start", start), _moment("end", end))
    archive = Archive(Path(data).expanduser())
    return archive.load(symbol, timeframe, exchange=exchange, start_ns=window.start_ns, end_ns=window.end_ns)


def backtest(
    strategy: str | Path | Sequence[str | Path],
    on: str | Candles | Sequence[str] | Sequence[Candles],
    **settings: Setting,
) -> Result:
    """Replay candles through the kernel and return what came of it.

    `strategy` is a name of the catalogue, a file, or several of them; `on` are symbols of the archive, or candles.
    `settings` are named like the flags: timeframe, start, end, days_back, cash, params, fee_maker_bps, fee_taker_bps,
    slippage_bps, slippage_model, slippage_impact, max_volume_share, fills, fill_at, limits, detail_timeframe,
    exchange, data. What is left out has the program's default; with `config` it is what that file says, under the
    environment, as for the command. Raises UsageError, DataError or RunFailed.
    """
    _refuse_unknown(settings)
    names = _names(strategy)
    held = _held(on)
    overrides = {
        "trading.strategies": ",".join(names),
        "trading.symbols": ",".join(_symbols(on)),
        "trading.universe": "",
    }
    if held:
        overrides |= {"trading.timeframe": held[0].timeframe, "exchange.name": held[0].instrument.exchange}
    overrides |= {
        SETTING_OF[name]: str(value) for name, value in settings.items() if name in SETTING_OF and value is not None
    }
    if (data := settings.get("data")) is not None:
        overrides["data.archive"] = str(data)
    loaded = _load(settings.get("config"), overrides)
    refuse_promised(feed=_text(settings, "feed"), isolation=_text(settings, "isolation"), settings=loaded)
    source: CandleSource = Held(held) if held else Archive(loaded.data.archive)
    start, end = (_moment(name, settings.get(name)) for name in ("start", "end"))
    request = Request.of(
        loaded,
        source,
        Window.of(start, end, loaded.backtest.days_back),
        params=_parameters(settings.get("params"), names),
        detail_timeframe=_text(settings, "detail_timeframe"),
    )
    return Result(carry_out(request))


def _refuse_unknown(settings: Mapping[str, Setting]) -> None:
    from difflib import get_close_matches

    known = (*SETTING_OF, *_OTHERS)
    for name in settings:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise UsageError(f"backtest() has no setting {name}; {advice}")


def _load(config: Setting, overrides: Mapping[str, str]) -> Settings:
    """Return the settings: those of a file and the environment, or else the defaults alone."""
    try:
        if config is not None:
            return load_settings(Path(str(config)).expanduser(), overrides=overrides)
        return load_settings(None, overrides=overrides, env={}, env_file=Path(os.devnull))
    except UsageError as error:
        raise UsageError(str(error).replace(" from the command line", "")) from None


def _names(strategy: object) -> tuple[str, ...]:
    """Return what to call the strategies by; a notebook may hand over anything."""
    given = tuple(strategy) if isinstance(strategy, list | tuple) else (strategy,)
    if given and all(isinstance(each, str | Path) for each in given):
        return tuple(str(each) for each in given)
    raise UsageError(
        "a strategy is the name of one, like 'simple_ma', or the path of a file that ends in .py; "
        "save a class of your own in such a file"
    )


def _held(on: object) -> tuple[Candles, ...]:
    """Return the candles that were given, none when symbols were; a notebook may hand over anything."""
    given = tuple(on) if isinstance(on, Sequence) and not isinstance(on, str) else (on,)
    found = tuple(each for each in given if isinstance(each, Candles))
    named = all(isinstance(each, str) for each in given)
    if not given or not (named or len(found) == len(given)):
        raise UsageError("give either symbols, as in ['BTC/USDT', 'ETH/USDT'], or candles, as candles() returns them")
    return found


def _symbols(on: str | Candles | Sequence[str] | Sequence[Candles]) -> tuple[str, ...]:
    given = (on,) if isinstance(on, str | Candles) else tuple(on)
    names = (each.instrument.symbol if isinstance(each, Candles) else str(each) for each in given)
    return tuple(dict.fromkeys(names))


def _text(settings: Mapping[str, Setting], name: str) -> str | None:
    value = settings.get(name)
    return None if value is None else str(value)


def _moment(name: str, value: Setting) -> str | None:
    """Return a moment as ISO 8601 text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    raise UsageError(f"{name} is a text like '2024-01-31', a date or a datetime, not {value!r}")


def _parameters(given: Setting, names: Sequence[str]) -> dict[str, dict[str, Given]]:
    """Return the parameters by strategy; a mapping inside the mapping is for the strategy it is named by."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(f"params is a dictionary, as in params={{'fast': 10}}, not {given!r}")
    pairs: list[tuple[str, Given]] = []
    for key, value in given.items():
        if isinstance(value, Mapping):
            pairs += [(f"{key}.{name}", inner) for name, inner in value.items()]
        else:
            pairs.append((key, value))
    return by_strategy(pairs, names)
