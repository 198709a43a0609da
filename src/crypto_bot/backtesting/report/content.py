"""Everything a report says, as one JSON object of texts and columns; the page only lays it out.

Texts are formatted here, exactly; whatever comes from outside (names, symbols, warnings) is made visible, and the
page puts it in as text, never as markup.
"""

import shlex
import unicodedata
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.excursions import excursions
from crypto_bot.backtesting.figures import PLUS_MINUS, duration, money, number, percent
from crypto_bot.backtesting.grid_account import account_of_run
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome, ParamValue, RunLabel
from crypto_bot.backtesting.report.groups import Group, Row, grid_groups, groups_of, sign_of
from crypto_bot.backtesting.report.listing import Listing, fill_listing, trip_listing
from crypto_bot.backtesting.report.months import YearRow, monthly_returns
from crypto_bot.backtesting.report.scatter import Scatter, scatter_of
from crypto_bot.backtesting.report.series import CandleChart, Line, candle_charts, equity_line
from crypto_bot.backtesting.terminal import compared, points_ahead, ranged
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, DAY_NS, format_scaled, format_time

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket


class Figure(TypedDict):
    """One figure of the strip: its name, its text, its sign for the colour, and a line beneath."""

    name: str
    text: str
    unit: NotRequired[str]
    sign: NotRequired[int]
    after: NotRequired[str]
    note: str


class Note(TypedDict):
    """An objection or a warning."""

    title: str
    text: str


class Content(TypedDict):
    """All that the page shows."""

    title: str
    mode: str
    strategy: str
    subtitle: str
    window: str
    run: str
    quote: str
    verdict: str
    notes: list[Note]
    figures: list[Figure]
    groups: list[Group]
    equity: Line
    equity_label: str
    charts: list[CandleChart]
    charts_left_out: int
    months: list[YearRow]
    scatter: Scatter
    trips: Listing
    fills: Listing
    assumptions: list[Row]
    bracket: list[Row]
    bracket_note: str
    hashes: list[Row]
    command: str


def content_of(outcome: Outcome, metrics: Metrics, label: RunLabel, bracket: "Bracket | None" = None) -> Content:
    """Gather what the report of a run shows."""
    symbols = [instrument.symbol for instrument in outcome.instruments]
    strategy = visible(" + ".join(outcome.strategies))
    shown = ", ".join(symbols[:3]) + (f" and {len(symbols) - 3} more" if len(symbols) > 3 else "")
    total = percent(metrics.total_return, signed=True)
    line, charts = equity_line(outcome), candle_charts(outcome)
    held = percent(metrics.buy_and_hold_return, signed=True)
    moves = excursions(outcome, metrics.books)
    return {
        "title": visible(f"{total} \u00b7 {strategy} {shown}"),
        "mode": visible(label.mode.replace("_", " ").upper()),
        "strategy": strategy,
        "subtitle": visible(f"{shown} \u00b7 {outcome.timeframe}{_parameters(label)}"),
        "window": f"{_day(int(outcome.times[0]))} to {_day(int(outcome.times[-1]))}",
        "run": visible(f"Run {label.run_id} \u00b7 version {label.code_version}"),
        "quote": visible(outcome.quote),
        "verdict": compared(metrics),
        "notes": [
            *(Note(title="", text=visible(text)) for text in outcome.warnings),
            *(Note(title=note.title, text=visible(note.text)) for note in criticise(outcome, metrics, bracket)),
        ],
        "figures": _figures(outcome, metrics),
        "groups": [*groups_of(outcome, metrics, moves), *grid_groups(account_of_run(outcome, label), outcome.quote)],
        "equity": line,
        "equity_label": (
            f"Equity since the start {total}, buy and hold {held}. "
            f"Worst drawdown {percent(metrics.drawdown.deepest)}."
        ),
        "charts": [{**chart, "symbol": visible(chart["symbol"])} for chart in charts],
        "charts_left_out": len(symbols) - len(charts),
        "months": monthly_returns(outcome),
        "scatter": scatter_of(metrics.books.trips, moves),
        "trips": trip_listing(outcome, metrics.books.trips, moves, visible),
        "fills": fill_listing(outcome, visible),
        "assumptions": _assumptions(outcome),
        "bracket": _bracket(outcome, bracket),
        "bracket_note": _bracket_note(outcome) if bracket is None else ranged(bracket),
        "hashes": _hashes(outcome, label),
        "command": visible(label.command or command_line(outcome, label)),
    }


def visible(text: str) -> str:
    """Return text in which control and direction characters are shown by their code."""
    return "".join(
        f"\u27e8U+{ord(sign):04X}\u27e9" if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} else sign
        for sign in text
    )


def command_line(outcome: Outcome, label: RunLabel) -> str:
    """Return the command that makes this run again."""
    taken = outcome.assumptions
    words = ["python", "-m", "crypto_bot", "backtest"]
    words += [word for name in label.named or outcome.strategies for word in ("--strategy", name)]
    words += [word for instrument in outcome.instruments for word in ("--symbol", instrument.symbol)]
    words += ["--exchange", outcome.instruments[0].exchange, "--timeframe", outcome.timeframe]
    words += ["--from", format_time(int(outcome.times[0])), "--to", format_time(int(outcome.times[-1]))]
    words += ["--cash", format_scaled(outcome.initial_equity, ATOMS)]
    words += [word for name, value in label.params.items() for word in ("--param", f"{name}={parameter(value)}")]
    words += ["--fee-maker-bps", f"{taken.fee_maker_bps:g}", "--fee-taker-bps", f"{taken.fee_taker_bps:g}"]
    words += ["--slippage-bps", f"{taken.slippage_bps:g}", "--fills", taken.fills, "--fill-at", taken.fill_at]
    if taken.slippage_model != "fixed":
        words += ["--slippage-model", taken.slippage_model, "--slippage-impact", f"{taken.slippage_impact:g}"]
    words += ["--max-volume-share", f"{taken.max_volume_share:g}"] if taken.max_volume_share else []
    words += ["--detail-timeframe", taken.detail_timeframe] if taken.detail_timeframe else []
    return shlex.join([*words, "--limits", taken.limits, *label.more])


def parameter(value: ParamValue) -> str:
    """Return a parameter as it is typed on the command line."""
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _parameters(label: RunLabel) -> str:
    """Return the parameters for the heading."""
    return "".join(f" \u00b7 {name} {parameter(value)}" for name, value in label.params.items())


def _day(time_ns: int) -> str:
    """Return a time as a date, with the hour only where it is not midnight."""
    text = format_time(time_ns)
    return text[:10] if time_ns % DAY_NS == 0 else f"{text[:10]} {text[11:16]}"


def _sureness(skill: float) -> str:
    """Return how sure it is on which side of zero the true Sharpe ratio lies."""
    return f"above zero: {percent(skill, 0)} sure" if skill >= 0.5 else f"below zero: {percent(1 - skill, 0)} sure"


def _figures(outcome: Outcome, metrics: Metrics) -> list[Figure]:
    """Return the strip: what a reader wants to know in three seconds."""
    quote, fall, trips = outcome.quote, metrics.drawdown, metrics.books.trips.closed
    gain = int(outcome.equity[-1]) - outcome.initial_equity
    span = int(outcome.times[-1] - outcome.times[0]) + timeframe_ns(outcome.timeframe)
    yearly = (
        f"{percent(metrics.cagr, signed=True)} a year" if metrics.cagr is not None else "too short for a yearly rate"
    )
    points = points_ahead(metrics)
    beside = "could not be bought"
    if points is not None:
        beside = f"bot is {number(abs(points))} points {'ahead' if points >= 0 else 'behind'}"
    sure = "no variation" if metrics.certainty.skill is None else _sureness(metrics.certainty.skill)
    closed = f"{trips:,} round trip{'' if trips == 1 else 's'}"
    strip: list[Figure] = [
        {
            "name": "Final equity",
            "text": money(int(outcome.equity[-1])),
            "unit": quote,
            "note": f"from {money(outcome.initial_equity)} in {duration(span)}",
        },
        {
            "name": "Total return",
            "text": percent(metrics.total_return, signed=True),
            "sign": sign_of(gain),
            "note": yearly,
        },
        {
            "name": "Buy and hold",
            "text": percent(metrics.buy_and_hold_return, signed=True),
            "note": beside,
        },
        {
            "name": "Sharpe ratio",
            "text": number(metrics.sharpe),
            "after": "" if metrics.sharpe_se is None else f"{PLUS_MINUS} {number(metrics.sharpe_se)}",
            "note": sure,
        },
        {
            "name": "Max drawdown",
            "text": percent(fall.deepest),
            "note": f"{duration(fall.longest_ns)} under water" if fall.longest_ns else "never under water",
        },
        {
            "name": "Profit factor",
            "text": number(metrics.scores.profit_factor),
            "note": f"{closed}, {percent(metrics.scores.win_rate, 0)} won" if trips else "no round trips",
        },
        {
            "name": "Fees paid",
            "text": money(metrics.books.fees),
            "unit": quote,
            "note": f"{percent(metrics.books.fees / outcome.initial_equity)} of the start",
        },
    ]
    return strip


def _assumptions(outcome: Outcome) -> list[Row]:
    """Return what the simulation took for granted, in words."""
    taken = outcome.assumptions
    fills = {
        "pessimistic": "only when the price trades through them",
        "touch": "as soon as the price touches them",
        "path": "as touched, along a guessed path inside each bar",
        "ohlc": "when traded through, as if each bar went from its open to the high, the low and the close",
        "olhc": "when traded through, as if each bar went from its open to the low, the high and the close",
        "adaptive": "when traded through, as if each bar went to its nearer extreme first",
    }
    places = {"next_open": "at the next bar's open", "close": "at the deciding bar's close (zero delay)"}
    impacts = {
        "volume_share": f", and {taken.slippage_impact:g} times the impact of their share of the bar's volume",
        "square_root": f", and {taken.slippage_impact:g} times the impact of the root of their share of a day's volume",
    }
    volume = f"at most {percent(taken.max_volume_share, 1)}" if taken.max_volume_share else "whatever is asked for"
    limits = {"config": "in force", "off": "off; only cash, filters and overflow"}
    return [
        {"name": "Market orders fill", "text": places.get(taken.fill_at, taken.fill_at)},
        {"name": "Resting orders fill", "text": fills.get(taken.fills, taken.fills)},
        {"name": "Fees, maker / taker", "text": f"{taken.fee_maker_bps:g} / {taken.fee_taker_bps:g} bps"},
        {"name": "Slippage of takers", "text": f"{taken.slippage_bps:g} bps{impacts.get(taken.slippage_model, '')}"},
        {"name": "Filled of a bar's volume", "text": volume},
        {"name": "Risk limits", "text": limits.get(taken.limits, taken.limits)},
        {
            "name": "Fees of buys are paid in",
            "text": {"quote": "the quote asset"}.get(taken.fee_asset, "what is bought"),
        },
        {"name": "Orders live on", "text": f"{taken.detail_timeframe or outcome.timeframe} bars"},
        {"name": "Seed", "text": str(taken.seed)},
    ]


def _bracket(outcome: Outcome, bracket: "Bracket | None") -> list[Row]:
    """Return what every way of filling comes to, the run's own first."""
    ways, quote = () if bracket is None else bracket.ways, visible(outcome.quote)
    return [
        {
            "name": f"{way.fills}, {way.executions:,} fills",
            "text": f"{percent(way.total_return, signed=True)} \u00b7 {money(way.final_equity)} {quote}",
        }
        for way in ways
    ]


def _bracket_note(outcome: Outcome) -> str:
    """Say how much of an unrepeated run hangs on what bars do not tell."""
    resting, fills = int(np.count_nonzero(outcome.fills["maker"])), outcome.fills.size
    if not fills:
        return "Nothing was filled, and nothing hangs on how."
    if not resting:
        return f"All {fills:,} fills were market orders, which no order of prices inside a bar moves."
    return (
        f"{resting:,} of {fills:,} fills were resting orders. Bars do not tell in which order their prices came: "
        "--bracket repeats the run under every way of filling and shows the range."
    )


def _hashes(outcome: Outcome, label: RunLabel) -> list[Row]:
    """Return what a repeated run must show again."""
    return [
        {"name": "Decisions", "text": visible(outcome.decisions_hash)},
        {"name": "Ledger", "text": visible(outcome.ledger_hash)},
        {"name": "Data", "text": visible(outcome.data_hash)},
        {"name": "Version", "text": visible(label.code_version)},
    ]
