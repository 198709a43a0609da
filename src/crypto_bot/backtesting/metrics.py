"""The figures of a run, each by one stated definition; none of them is ever NaN or infinite.

Returns are those of equity at each UTC day's close (of each bar, when bars are longer than a day), the initial equity
being the first point; a day without bars counts with return 0. A year has 365 days. Drawdown looks at every bar.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting import drawdown, moments
from crypto_bot.backtesting.certainty import Certainty, measure_certainty
from crypto_bot.backtesting.costs import Costs, measure_costs
from crypto_bot.backtesting.holding import buy_and_hold_curve, buy_and_hold_return
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.regression import Regression, regress
from crypto_bot.backtesting.scores import Scores, score
from crypto_bot.backtesting.tails import Tail, tail
from crypto_bot.backtesting.trips import Books, lot_atoms, settle, unrealised
from crypto_bot.data.decoded import release
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS, YEAR_NS

FloatArray = npt.NDArray[np.float64]

SHORTEST_FOR_YEARLY_NS = 30 * DAY_NS
"""A growth rate per year from less than this would be a guess."""

RECENT_NS = 3 * YEAR_NS
"""The last 36 months, over which funds quote their Calmar ratio."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """What `measure` found. Ratios are plain numbers (0.153), drawdowns <= 0, money int atoms; None has no meaning.

    `returns` are those that the ratios are made of. `log_growth` is the mean log return per year, `log_growth_t` its
    t statistic. `recent_calmar` is that of the last 36 months, None for shorter runs. `upi` is growth per year over
    the Ulcer index. `books_gap` is 0 when trips, open positions and fees explain the final equity to the atom; None
    when fees in a third asset make it uncheckable. `market` sets the returns beside those of holding.
    """

    returns: FloatArray
    periods_per_year: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sharpe_se: float | None
    certainty: Certainty
    sortino: float | None
    calmar: float | None
    recent_calmar: float | None
    upi: float | None
    log_growth: float | None
    log_growth_t: float | None
    tail_95: Tail | None
    tail_99: Tail | None
    drawdown: drawdown.Drawdown
    books: Books
    scores: Scores
    gross: int
    net: int
    unrealised: int
    books_gap: int | None
    exposure: float
    mean_invested: float
    turnover: float
    costs: Costs
    buy_and_hold_return: float | None
    market: Regression | None


def measure(outcome: Outcome) -> Metrics:
    """Compute every figure of a run; ValueError when it has no bars."""
    if outcome.times.size == 0:
        raise ValueError("a run without bars has no figures")
    equity = np.concatenate(([float(outcome.initial_equity)], outcome.equity.astype(np.float64)))
    bar_ns = timeframe_ns(outcome.timeframe)
    moments_ns = np.concatenate((outcome.times[:1], outcome.times + bar_ns))
    per_year = YEAR_NS / max(bar_ns, DAY_NS)
    points = period_points(moments_ns, bar_ns)
    returns = simple_returns(equity[points])
    books = settle(outcome)
    fall = drawdown.measure_drawdown(equity, moments_ns)
    total = float(equity[-1] / equity[0] - 1)
    yearly = annual_growth(total, returns.size, per_year)
    certainty = measure_certainty(returns, per_year)
    growth = moments.growth(returns, per_year)
    costs = measure_costs(outcome, books.fees)
    net = books.trips.net
    invested = _invested(outcome, books)
    open_gain = unrealised(outcome, books)
    explained = outcome.initial_equity + int(net.sum()) + open_gain - sum(position.fees for position in books.open)
    return Metrics(
        returns=returns,
        periods_per_year=per_year,
        total_return=total,
        cagr=yearly,
        volatility=moments.volatility(returns, per_year),
        sharpe=moments.sharpe(returns, per_year),
        sharpe_se=certainty.error,
        certainty=certainty,
        sortino=moments.sortino(returns, per_year),
        calmar=_over(yearly, -fall.deepest),
        recent_calmar=_recent_calmar(equity, moments_ns, per_year),
        upi=_over(yearly, fall.ulcer),
        log_growth=None if growth is None else growth[0],
        log_growth_t=None if growth is None else growth[1],
        tail_95=tail(returns, 0.95),
        tail_99=tail(returns, 0.99),
        drawdown=fall,
        books=books,
        scores=score(net),
        gross=int(books.trips.gross.sum()),
        net=int(net.sum()),
        unrealised=open_gain,
        books_gap=None if books.other_fees else int(outcome.equity[-1]) - explained,
        exposure=0.0 if invested is None else float(np.mean(invested > 0)),
        mean_invested=0.0 if invested is None else float(np.mean(invested)),
        turnover=_turnover(costs, equity, int(moments_ns[-1] - moments_ns[0])),
        costs=costs,
        buy_and_hold_return=buy_and_hold_return(outcome),
        market=_market(outcome, points, returns, per_year),
    )


def period_points(moments_ns: IntArray, bar_ns: int) -> IntArray:
    """Return which points of an equity curve the returns are taken between: UTC day closes, or bars longer than a day.

    `moments_ns` are the times of the points; the first is the start of the run.
    """
    if bar_ns > DAY_NS:
        return np.arange(moments_ns.size)
    closes_ns = np.arange(moments_ns[0] // DAY_NS + 1, (moments_ns[-1] - 1) // DAY_NS + 2) * DAY_NS
    return np.concatenate(([0], np.searchsorted(moments_ns, closes_ns, "right") - 1))


def simple_returns(worth: FloatArray) -> FloatArray:
    """Return the change from each point to the next; a point that is not positive has no returns after it."""
    lost = np.flatnonzero(worth <= 0)
    if lost.size:
        worth = worth[: lost[0] + 1]
    return worth[1:] / worth[:-1] - 1


def periodic_returns(equity: FloatArray, moments_ns: IntArray, bar_ns: int) -> FloatArray:
    """Return the simple returns of equity, true at `moments_ns`, between UTC day closes or longer bars."""
    return simple_returns(equity[period_points(moments_ns, bar_ns)])


def annual_growth(total_return: float, periods: int, per_year: float) -> float | None:
    """Return the compound growth per year; None below 30 days, -1 when all was lost."""
    if periods / per_year * YEAR_NS < SHORTEST_FOR_YEARLY_NS:
        return None
    if total_return <= -1:
        return -1.0
    yearly = (1 + total_return) ** (per_year / periods) - 1
    return float(yearly)


def _over(yearly: float | None, depth: float) -> float | None:
    """Return growth per year over a depth; None where there was no fall to speak of."""
    return None if yearly is None or depth < moments.FLAT else yearly / depth


def _recent_calmar(equity: FloatArray, moments_ns: IntArray, per_year: float) -> float | None:
    """Return the Calmar ratio of the last 36 months; None when the run is not longer than that."""
    first = int(np.searchsorted(moments_ns, moments_ns[-1] - RECENT_NS, "left"))
    if first == 0 or equity[first] <= 0:
        return None
    part = equity[first:]
    periods = round((moments_ns[-1] - moments_ns[first]) / YEAR_NS * per_year)
    yearly = annual_growth(float(part[-1] / part[0] - 1), periods, per_year)
    return _over(yearly, -float(np.min(drawdown.falls(part))))


def _market(outcome: Outcome, points: IntArray, returns: FloatArray, per_year: float) -> Regression | None:
    """Set the returns beside those of holding over the same periods; point 0 is the start, point n bar n - 1."""
    curve = buy_and_hold_curve(outcome, points[1:] - 1)
    if curve is None:
        return None
    held = simple_returns(np.concatenate(([1.0], np.where(points[1:] > 0, curve, 1.0))))
    return regress(returns, held, per_year)


def _invested(outcome: Outcome, books: Books) -> FloatArray | None:
    """Return the gross worth of the positions over equity at each bar's close; None when nothing was filled."""
    gross: FloatArray | None = None
    for k, instrument in enumerate(outcome.instruments):
        mine = outcome.fills["instrument"] == k
        if not mine.any():
            continue
        held = np.zeros(outcome.times.size, dtype=np.int64)
        np.add.at(held, books.bars[mine], books.changes[mine])
        np.cumsum(held, out=held)
        np.abs(held, out=held)
        held[held < lot_atoms(instrument)] = 0
        value = outcome.closes[:, k] / instrument.price_scale
        release(outcome.closes)
        value *= held
        gross = value if gross is None else np.add(gross, value, out=gross)
    if gross is None:
        return None
    gross[outcome.equity <= 0] = 0.0
    return np.divide(gross, outcome.equity, out=gross, where=outcome.equity > 0)  # in place: a year is a few MB


def _turnover(costs: Costs, equity: FloatArray, span_ns: int) -> float:
    """Return what was bought and sold (both counted) per year, over mean equity."""
    mean = float(np.mean(equity[1:]))
    return costs.traded / mean * (YEAR_NS / span_ns) if mean > 0 else 0.0
