"""The run on a terminal: a few aligned lines of plain text, no colour needed to read them."""

from typing import TYPE_CHECKING

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.figures import duration, money, number, percent, plain
from crypto_bot.backtesting.grid_account import GridAccount, account_of_run
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome, RunLabel
from crypto_bot.domain.units import format_time

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket

LABEL_WIDTH = 16
COLUMN_WIDTH = 48


def points_ahead(metrics: Metrics) -> float | None:
    """Return by how many percentage points the bot beat holding, to two decimals; None when nothing could be held."""
    if metrics.buy_and_hold_return is None:
        return None
    return round((metrics.total_return - metrics.buy_and_hold_return) * 100, 2)


def compared(metrics: Metrics) -> str:
    """Return the sentence that sets the bot beside doing nothing; empty when holding was impossible."""
    points = points_ahead(metrics)
    if points is None:
        return ""
    if points == 0:
        return "The bot did as well as buy and hold."
    if points > 0 > metrics.total_return:
        return f"The bot lost {percent(-metrics.total_return)}, {number(points)} points less than buy and hold."
    return f"The bot is {number(abs(points))} points {'ahead of' if points > 0 else 'behind'} buy and hold."


def ranged(bracket: "Bracket") -> str:
    """Return the sentence that sets the result between its worst and its best way of filling."""
    low, high = bracket.low, bracket.high
    if low.final_equity == high.final_equity:
        return f"Every way of filling ends the same: {percent(low.total_return, signed=True)}."
    ends = f"{percent(low.total_return, signed=True)} ({low.fills}) to {percent(high.total_return, signed=True)}"
    return f"By the order of prices inside the bars: {ends} ({high.fills}); here {bracket.own.fills}."


def told_of_grid(grid: GridAccount | None, quote: str) -> list[str]:
    """Return what a grid earned, told apart and beside holding; nothing when none traded."""
    if grid is None:
        return []
    kept, first = money(grid.floating_pnl, signed=True), money(grid.initial_inventory_pnl, signed=True)
    stop = f", sold at a stop {money(grid.stop_pnl, signed=True)}" if grid.stop_pnl else ""
    side = "ahead of" if grid.alpha >= 0 else "behind"
    return [
        f"Grid: {grid.cells_closed:,} cells closed, {money(grid.grid_profit, signed=True)} {quote} after fees"
        f" ({percent(grid.realised_apr)} a year, realised only).",
        f"First coins {first}, still held {kept}{stop}: together {money(grid.total_pnl, signed=True)} {quote},",
        f"{money(abs(grid.alpha))} {side} holding for the same {money(grid.investment)}.",
    ]


def terminal_summary(outcome: Outcome, metrics: Metrics, label: RunLabel, bracket: "Bracket | None" = None) -> str:
    """Return the summary for people: ASCII, at most 100 columns, ending with the objections."""
    symbols = [instrument.symbol for instrument in outcome.instruments]
    shown = ", ".join(symbols[:4]) + (f" and {len(symbols) - 4} more" if len(symbols) > 4 else "")
    title = f"{' + '.join(outcome.strategies)}  {shown}  {outcome.timeframe}"
    window = f"{format_time(int(outcome.times[0]))} to {format_time(int(outcome.times[-1]))}"
    size = f"{outcome.times.size:,} bars, {outcome.orders:,} orders, {outcome.fills.size:,} fills"
    lines = [title, f"{window}  {size}", ""]
    pairs = _figures(outcome, metrics)
    half = (len(pairs) + 1) // 2
    for row in range(half):
        left = _cell(*pairs[row])
        right = _cell(*pairs[row + half]) if row + half < len(pairs) else ""
        lines.append(f"{left:<{COLUMN_WIDTH}}{right}".rstrip())
    lines += ["", compared(metrics)] if compared(metrics) else []
    lines += [ranged(bracket)] if bracket is not None else []
    lines += told_of_grid(account_of_run(outcome, label), outcome.quote)
    notes = [*outcome.warnings, *(str(remark) for remark in criticise(outcome, metrics, bracket))]
    lines += ["", *(f"! {note}" for note in notes)] if notes else []
    taken = outcome.assumptions
    costs = f"fees {taken.fee_maker_bps:g} / {taken.fee_taker_bps:g} bps, slippage {taken.slippage_bps:g} bps"
    costs += "" if taken.slippage_model == "fixed" else f" and {taken.slippage_impact:g} x {taken.slippage_model}"
    costs += f", at most {taken.max_volume_share:g} of a bar's volume" if taken.max_volume_share else ""
    lines += ["", f"{taken.fills} fills at {taken.fill_at}, {costs}, limits {taken.limits}"]
    lines.append(f"run {label.run_id}  decisions {outcome.decisions_hash}  version {label.code_version}")
    return plain("\n".join(lines))


def _cell(name: str, value: str) -> str:
    """Return one figure with its name before it."""
    return f"{name:<{LABEL_WIDTH}}{value}"


def _figures(outcome: Outcome, metrics: Metrics) -> list[tuple[str, str]]:
    """Return the figures, those of money on the left."""
    quote, fall = outcome.quote, metrics.drawdown
    error = "" if metrics.sharpe_se is None else f" +/- {number(metrics.sharpe_se)}"
    trips = metrics.books.trips.closed
    return [
        ("Final equity", f"{money(int(outcome.equity[-1]))} {quote}"),
        ("Total return", percent(metrics.total_return, signed=True)),
        ("Buy and hold", percent(metrics.buy_and_hold_return, signed=True)),
        ("Per year", percent(metrics.cagr, signed=True)),
        ("Max drawdown", f"{percent(fall.deepest)}, {duration(fall.longest_ns)} under water"),
        ("Fees paid", f"{money(metrics.books.fees)} {quote}"),
        ("Turnover", f"{number(metrics.turnover, 1)} x equity a year"),
        ("Sharpe", f"{number(metrics.sharpe)}{error}"),
        ("Sortino", number(metrics.sortino)),
        ("Calmar", number(metrics.calmar)),
        ("Volatility", percent(metrics.volatility)),
        ("Round trips", f"{trips:,}, {percent(metrics.scores.win_rate, 1)} won"),
        ("Profit factor", number(metrics.scores.profit_factor)),
        ("In the market", f"{percent(metrics.exposure, 1)} of the time"),
    ]
