"""A run in a notebook: its figures and its equity as one small piece of HTML that needs no script."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.figures import PLUS_MINUS, duration, money, number, percent
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.report.series import equity_line
from crypto_bot.backtesting.terminal import compared, ranged
from crypto_bot.domain.units import format_time

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket

_WIDTH, _HEIGHT = 640, 160
_POINTS = 320
_BOT, _HOLD = "#2a78d6", "#8a8a86"


def display(outcome: Outcome, metrics: Metrics, bracket: "Bracket | None" = None) -> str:
    """Return title, chart, figures and objections; text takes the colours of the page around it."""
    symbols = ", ".join(instrument.symbol for instrument in outcome.instruments)
    window = f"{format_time(int(outcome.times[0]))} to {format_time(int(outcome.times[-1]))}"
    title = f"<b>{escape(' + '.join(outcome.strategies))}</b> {escape(symbols)} {escape(outcome.timeframe)}, {window}"
    cells = "".join(
        f"<td style='text-align:left;padding:2px 18px 4px 0'><small>{escape(name)}</small><br>{escape(value)}</td>"
        for name, value in _figures(outcome, metrics)
    )
    told = [compared(metrics), ranged(bracket) if bracket is not None else ""]
    said = "".join(f"<div>{escape(sentence)}</div>" for sentence in told if sentence)
    notes = [("", warning) for warning in outcome.warnings] + [*criticise(outcome, metrics, bracket)]
    rows = "".join(f"<li><small><b>{escape(name)}</b> {escape(text)}</small></li>" for name, text in notes)
    listed = f"<ul style='margin:4px 0'>{rows}</ul>" if rows else ""
    return f"<div><div>{title}</div>{_chart(outcome)}<table><tr>{cells}</tr></table>{said}{listed}</div>"


def _figures(outcome: Outcome, metrics: Metrics) -> list[tuple[str, str]]:
    fall = metrics.drawdown
    error = "" if metrics.sharpe_se is None else f" {PLUS_MINUS} {number(metrics.sharpe_se)}"
    return [
        ("Final equity", f"{money(int(outcome.equity[-1]))} {outcome.quote}"),
        ("Return", percent(metrics.total_return, signed=True)),
        ("Buy and hold", percent(metrics.buy_and_hold_return, signed=True)),
        ("Max drawdown", f"{percent(fall.deepest)}, {duration(fall.longest_ns)}"),
        ("Sharpe", number(metrics.sharpe) + error),
        ("Round trips", f"{metrics.books.trips.closed:,}, {percent(metrics.scores.win_rate, 1)} won"),
        ("Fees", f"{money(metrics.books.fees)} {outcome.quote}"),
    ]


def _chart(outcome: Outcome) -> str:
    """Return equity, and holding where it was possible, as lines over time."""
    line = equity_line(outcome)
    step = max(1, len(line["time"]) // _POINTS)
    times, bot, hold = ([*column[:-1:step], *column[-1:]] for column in (line["time"], line["bot"], line["hold"]))
    low, high = min([*bot, *hold]), max([*bot, *hold])
    spread = (high - low) or 1.0

    def drawn(values: Sequence[float], colour: str) -> str:
        span = max(times[-1] - times[0], 1)
        points = " ".join(
            f"{(time - times[0]) / span * _WIDTH:.1f},{4 + (high - value) / spread * (_HEIGHT - 8):.1f}"
            for time, value in zip(times, values, strict=True)
        )
        return f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.5'/>"

    lines = (drawn(hold, _HOLD) if hold else "") + drawn(bot, _BOT)
    legend = f"<span style='color:{_BOT}'>equity</span>" + (
        f", <span style='color:{_HOLD}'>buy and hold</span>" if hold else ""
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' role='img' "
        f"aria-label='equity'>{lines}</svg><div><small>{legend}, {low:,.2f} to {high:,.2f} "
        f"{escape(outcome.quote)}</small></div>"
    )
