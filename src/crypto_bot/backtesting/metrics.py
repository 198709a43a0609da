"""The figures of a run, each by one stated definition; none of them is ever NaN or infinite.

Returns are those of equity at each UTC day's close (of each bar, when bars are longer than a day), the initial equity
being the first point; a day without bars counts with return 0. A year has 365 days. Drawdown looks at every bar.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting import drawdown, moments
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.trips import Books, settle, unrealised
from crypto_bot.data.decoded import release
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS, PPM, PPM_PER_BPS, YEAR_NS

FloatArray = npt.NDArray[np.float64]

SHORTEST_FOR_YEARLY_NS = 30 * DAY_NS
"""A growth rate per year from less than this would be a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """What `measure` found. Ratios are plain numbers (0.153), drawdowns <= 0, money int atoms; None has no meaning.

    `sharpe_se` is the standard error of the annualised Sharpe ratio, `skill` the probability that the true one is
    above 0, `needed_periods` how many returns it takes to be 95 % sure. `log_growth` is the mean log return per year,
    `log_growth_t` its t statistic. `books_gap` is 0 when trips, open positions and fees explain the final equity to
    the atom; None when fees in a third asset make it uncheckable.
    """

    periods: int
    periods_per_year: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sharpe_se: float | None
    skill: float | None
    needed_periods: float | None
    sortino: float | None
    calmar: float | None
    log_growth: float | None
    log_growth_t: float | None
    drawdown: drawdown.Drawdown
    books: Books
    wins: int
    losses: int
    profit_factor: float | None
    expectancy: int | None
    win_rate: float | None
    gross: int
    net: int
    unrealised: int
    books_gap: int | None
    exposure: float
    mean_invested: float
    turnover: float
    buy_and_hold_return: float | None


def measure(outcome: Outcome) -> Metrics:
    """Compute every figure of a run; ValueError when it has no bars."""
    if outcome.times.size == 0:
        raise ValueError("a run without bars has no figures")
    equity = np.concatenate(([float(outcome.initial_equity)], outcome.equity.astype(np.float64)))
    bar_ns = timeframe_ns(outcome.timeframe)
    moments_ns = np.concatenate((outcome.times[:1], outcome.times + bar_ns))
    per_year = YEAR_NS / max(bar_ns, DAY_NS)
    returns = periodic_returns(equity, moments_ns, bar_ns)
    books = settle(outcome)
    fall = drawdown.measure_drawdown(equity, moments_ns)
    total = float(equity[-1] / equity[0] - 1)
    yearly = annual_growth(total, returns.size, per_year)
    form, ratio = moments.shape(returns), moments.sharpe(returns, per_year)
    single = None if ratio is None else ratio / per_year**0.5
    error = None if single is None else moments.sharpe_error(single, returns.size, form)
    growth = moments.growth(returns, per_year)
    net = books.trips.net
    gains, pains = int(net[net > 0].sum()), int(-net[net < 0].sum())
    invested = _invested(outcome, books)
    open_gain = unrealised(outcome, books)
    explained = outcome.initial_equity + int(net.sum()) + open_gain - sum(position.fees for position in books.open)
    return Metrics(
        periods=returns.size,
        periods_per_year=per_year,
        total_return=total,
        cagr=yearly,
        volatility=moments.volatility(returns, per_year),
        sharpe=ratio,
        sharpe_se=None if error is None else error * per_year**0.5,
        skill=None if single is None else moments.skill_probability(single, returns.size, form),
        needed_periods=None if single is None else moments.least_track_record(single, form),
        sortino=moments.sortino(returns, per_year),
        calmar=None if yearly is None or fall.deepest > -moments.FLAT else yearly / -fall.deepest,
        log_growth=None if growth is None else growth[0],
        log_growth_t=None if growth is None else growth[1],
        drawdown=fall,
        books=books,
        wins=int(np.count_nonzero(net > 0)),
        losses=int(np.count_nonzero(net < 0)),
        profit_factor=gains / pains if pains else None,
        expectancy=int(net.sum()) // books.trips.closed if books.trips.closed else None,
        win_rate=float(np.mean(net > 0)) if books.trips.closed else None,
        gross=int(books.trips.gross.sum()),
        net=int(net.sum()),
        unrealised=open_gain,
        books_gap=None if books.other_fees else int(outcome.equity[-1]) - explained,
        exposure=0.0 if invested is None else float(np.mean(invested > 0)),
        mean_invested=0.0 if invested is None else float(np.mean(invested)),
        turnover=_turnover(outcome, equity, int(moments_ns[-1] - moments_ns[0])),
        buy_and_hold_return=buy_and_hold_return(outcome),
    )


def periodic_returns(equity: FloatArray, moments_ns: IntArray, bar_ns: int) -> FloatArray:
    """Return the simple returns of equity between UTC day closes, or between bars longer than a day.

    `moments_ns` are the times at which `equity` was true; the first of both is the start. A point that is not
    positive has no returns after it.
    """
    if bar_ns <= DAY_NS:
        closes_ns = np.arange(moments_ns[0] // DAY_NS + 1, (moments_ns[-1] - 1) // DAY_NS + 2) * DAY_NS
        equity = equity[np.concatenate(([0], np.searchsorted(moments_ns, closes_ns, "right") - 1))]
    lost = np.flatnonzero(equity <= 0)
    if lost.size:
        equity = equity[: lost[0] + 1]
    return equity[1:] / equity[:-1] - 1


def annual_growth(total_return: float, periods: int, per_year: float) -> float | None:
    """Return the compound growth per year; None below 30 days, -1 when all was lost."""
    if periods / per_year * YEAR_NS < SHORTEST_FOR_YEARLY_NS:
        return None
    if total_return <= -1:
        return -1.0
    yearly = (1 + total_return) ** (per_year / periods) - 1
    return float(yearly)


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
        value = outcome.closes[:, k] / instrument.price_scale
        release(outcome.closes)
        value *= held
        gross = value if gross is None else np.add(gross, value, out=gross)
    if gross is None:
        return None
    gross[outcome.equity <= 0] = 0.0
    return np.divide(gross, outcome.equity, out=gross, where=outcome.equity > 0)  # in place: a year is a few MB


def _turnover(outcome: Outcome, equity: FloatArray, span_ns: int) -> float:
    """Return what was bought and sold (both counted) per year, over mean equity."""
    fills, traded = outcome.fills, 0.0
    for k, instrument in enumerate(outcome.instruments):
        mine = fills["instrument"] == k
        money = np.dot(fills["price"][mine].astype(np.float64), fills["quantity"][mine].astype(np.float64))
        traded += float(money) / (instrument.price_scale * instrument.quantity_scale)
    mean = float(np.mean(equity[1:])) / 1e8
    return traded / mean * (YEAR_NS / span_ns) if mean > 0 else 0.0


def first_purchase(outcome: Outcome, k: int) -> tuple[int, float] | None:
    """Return when, and at what price with costs, somebody who only holds buys instrument k; None when never.

    That is the open of the first bar after the run's first slice, the first price a bot can trade at, worsened by
    the taker's slippage and fee. The price is a float at the instrument's scale.
    """
    candles: Candles = outcome.candles[k]
    row = int(np.searchsorted(candles.times, outcome.times[0], "right"))
    if row >= len(candles) or candles.times[row] > outcome.times[-1]:
        return None
    costs = outcome.assumptions
    slipped = 1 + costs.slippage_bps * PPM_PER_BPS / PPM
    return int(candles.times[row]), int(candles.open[row]) * slipped * (1 + costs.fee_taker_bps * PPM_PER_BPS / PPM)


def buy_and_hold_curve(outcome: Outcome) -> FloatArray | None:
    """Return the worth of holding, per bar, as a multiple of the start; None when nothing could be bought.

    The capital is split evenly over the run's instruments at the start and never touched again; the part of an
    instrument without bars yet is cash.
    """
    worth, bought = np.zeros(outcome.times.size), False
    for k in range(len(outcome.instruments)):
        purchase = first_purchase(outcome, k)
        if purchase is None:
            worth += 1.0
            continue
        since, price = purchase
        bought = True
        worth += np.where(outcome.times >= since, outcome.closes[:, k] / price, 1.0)
    return worth / len(outcome.instruments) if bought else None


def buy_and_hold_return(outcome: Outcome) -> float | None:
    """Return what the same capital would have made by holding the run's instruments in equal parts."""
    purchases = [first_purchase(outcome, k) for k in range(len(outcome.instruments))]
    if not any(purchases):
        return None
    last = outcome.closes[-1]
    ratios = [1.0 if bought is None else float(last[k]) / bought[1] for k, bought in enumerate(purchases)]
    return sum(ratios) / len(ratios) - 1
