"""The lists of a report: every figure beyond the strip, under the headings a reader looks for."""

from typing import NotRequired, TypedDict

import numpy as np

from crypto_bot.backtesting.bootstrap import Range, resample
from crypto_bot.backtesting.excursions import Excursions
from crypto_bot.backtesting.figures import NOTHING, PLUS_MINUS, duration, money, number, percent
from crypto_bot.backtesting.grid_account import GridAccount
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.scores import SQN_CAP
from crypto_bot.backtesting.tails import Tail
from crypto_bot.domain.timeframe import timeframe_ns


class Row(TypedDict):
    """A name and its value in a list."""

    name: str
    text: str
    sign: NotRequired[int]


class Group(TypedDict):
    """Rows under one heading."""

    title: str
    rows: list[Row]


def sign_of(value: float | None) -> int:
    """Return the sign that colours a figure."""
    return 0 if value is None or value == 0 else 1 if value > 0 else -1


def groups_of(outcome: Outcome, metrics: Metrics, moves: Excursions) -> list[Group]:
    """Return the lists, in the order in which they are read."""
    return [
        {"title": "Risk", "rows": _risk(metrics)},
        {"title": "Certainty", "rows": _certainty(metrics)},
        {"title": "Beside the market", "rows": _market(metrics)},
        {"title": f"Round trips, {outcome.quote}", "rows": _trips(outcome, metrics)},
        {"title": "Quality of round trips", "rows": _quality(metrics, moves)},
        {"title": f"Costs, {outcome.quote}", "rows": _costs(metrics)},
        {"title": f"Accounts, {outcome.quote}", "rows": _accounts(metrics)},
        {"title": "Activity", "rows": _activity(outcome, metrics)},
    ]


def grid_groups(grid: GridAccount | None, quote: str) -> list[Group]:
    """Return the list of what a grid earned, told apart; nothing when none traded."""
    if grid is None:
        return []
    rows = [
        _row("Investment", money(grid.investment)),
        _row("Cells closed", f"{grid.cells_closed:,}"),
        _gain("Profit of closed cells", grid.grid_profit),
        _row("The same a year, realised only", percent(grid.realised_apr)),
        _gain("Sales of the first coins", grid.initial_inventory_pnl),
        _gain("Sold at a stop", grid.stop_pnl),
        _gain("Still held", grid.floating_pnl),
        _gain("Together", grid.total_pnl),
        _gain("Holding for the same money", grid.hold_pnl),
        _gain("Grid beyond holding", grid.alpha),
    ]
    return [{"title": f"Grid, {quote}", "rows": rows}]


def _row(name: str, text: str) -> Row:
    return {"name": name, "text": text}


def _gain(name: str, atoms: int | None) -> Row:
    return {"name": name, "text": money(atoms, signed=True), "sign": sign_of(atoms)}


def _span(found: Range, *, ratio: bool) -> str:
    """Return a range as two figures."""
    show = number if ratio else percent
    return f"{show(found.low)} to {show(found.high)}"


def _risk(metrics: Metrics) -> list[Row]:
    def beyond(tail: Tail | None) -> str:
        return NOTHING if tail is None else f"{percent(tail.at_risk)} / {percent(tail.beyond)}"

    rows = [
        _row("Volatility a year", percent(metrics.volatility)),
        _row("Sortino ratio", number(metrics.sortino)),
        _row("Calmar ratio", number(metrics.calmar)),
        _row("Ulcer index / UPI", f"{percent(metrics.drawdown.ulcer)} / {number(metrics.upi)}"),
        _row("Time under water", percent(metrics.drawdown.under_water, 1)),
        _row("VaR / CVaR 95%", beyond(metrics.tail_95)),
        _row("VaR / CVaR 99%", beyond(metrics.tail_99)),
    ]
    if metrics.recent_calmar is not None:
        rows.insert(3, _row("Calmar, last 36 months", number(metrics.recent_calmar)))
    return rows


def _certainty(metrics: Metrics) -> list[Row]:
    sure, unit = metrics.certainty, "d" if metrics.periods_per_year == 365 else "bars"
    t_value = "" if metrics.log_growth_t is None else f" (t {number(metrics.log_growth_t)})"
    rows = [
        _row("Returns seen", f"{sure.periods:,}"),
        _row("Needed for 95% certainty", number(sure.needed, 0) + (f" {unit}" if sure.needed else "")),
        _row("PSR 2012 / 2025", f"{percent(sure.skill, 1)} / {percent(sure.skill_2025, 1)}"),
        _row("Growth a year, log", percent(metrics.log_growth, signed=True) + t_value),
        _row("Skew / kurtosis", f"{number(sure.shape.skew)} / {number(sure.shape.kurtosis)}"),
        _row("Autocorrelation", number(sure.echo)),
    ]
    if sure.echo_sharpe is not None:
        error = "" if sure.echo_error is None else f" {PLUS_MINUS} {number(sure.echo_error)}"
        rows.append(_row("Sharpe with it", number(sure.echo_sharpe) + error))
    ranges = resample(metrics.returns, metrics.periods_per_year)
    if ranges is not None:
        rows.append(_row("Sharpe, 90% of draws", _span(ranges.sharpe, ratio=True)))
        rows.append(_row("Drawdown, 90% of draws", _span(ranges.deepest, ratio=False)))
    return rows


def _market(metrics: Metrics) -> list[Row]:
    market = metrics.market
    if market is None:
        return [_row("Too few days to compare", NOTHING)]

    def told(text: str, t_value: float | None) -> str:
        return text if t_value is None else f"{text} (t {number(t_value)})"

    return [
        _row("Alpha a year", told(percent(market.alpha, signed=True), market.alpha_t)),
        _row("Beta", told(number(market.beta), market.beta_t)),
        _row("Explained by holding", percent(market.explained, 1)),
    ]


def _trips(outcome: Outcome, metrics: Metrics) -> list[Row]:
    net, bars = metrics.books.trips.net, metrics.books.trips.bars
    won, lost = net[net > 0], net[net < 0]
    held = None if bars.size == 0 else int(np.sort(bars)[bars.size // 2]) * timeframe_ns(outcome.timeframe)
    return [
        _gain("Mean", metrics.scores.expectancy),
        _gain("Mean win", int(won.sum()) // won.size if won.size else None),
        _gain("Mean loss", int(lost.sum()) // lost.size if lost.size else None),
        _gain("Best", int(net.max()) if net.size else None),
        _gain("Worst", int(net.min()) if net.size else None),
        _row("Median time held", duration(held)),
    ]


def _quality(metrics: Metrics, moves: Excursions) -> list[Row]:
    scores, closed = metrics.scores, metrics.books.trips.closed
    counted = f" (n {min(closed, SQN_CAP)})" if scores.sqn is not None else ""
    return [
        _row("Payoff, win / loss", number(scores.payoff)),
        _row("Expectancy / mean loss", number(scores.expectancy_ratio)),
        _row("System quality, SQN", number(scores.sqn) + counted),
        _row("Kelly share, no advice", percent(scores.kelly, 1)),
        _row("Losses in a row, most", f"{scores.losses_in_a_row:,}"),
        _row("Mean MAE", percent(float(np.mean(moves.adverse)) if closed else None)),
        _row("Mean MFE", percent(float(np.mean(moves.favourable)) if closed else None, signed=True)),
    ]


def _costs(metrics: Metrics) -> list[Row]:
    costs = metrics.costs
    return [
        _row("Fees", money(metrics.books.fees)),
        _row("Slippage of market orders", money(costs.slippage)),
        _row("Share of profit before them", percent(costs.share, 0)),
        _row("Charged a side", _bps(costs.charged_bps)),
        _row("Break-even a side", _bps(costs.break_even_bps)),
    ]


def _bps(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value, 1)} bps"


def _accounts(metrics: Metrics) -> list[Row]:
    return [
        _gain("Closed, before fees", metrics.gross),
        _gain("Open positions", metrics.unrealised),
        _row("Fees", money(-metrics.books.fees, signed=True)),
        _gain("Sum", metrics.gross + metrics.unrealised - metrics.books.fees),
    ]


def _activity(outcome: Outcome, metrics: Metrics) -> list[Row]:
    return [
        _row("Time in the market", percent(metrics.exposure, 1)),
        _row("Mean invested", percent(metrics.mean_invested, 1)),
        _row("Turnover a year", f"{number(metrics.turnover, 1)} \u00d7 equity"),
        _row("Orders", f"{outcome.orders:,}"),
        _row("Refused by limits", f"{outcome.refused:,}"),
    ]
