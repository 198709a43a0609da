"""What a careful reader would hold against a run, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crypto_bot.backtesting.figures import PLUS_MINUS, money, number, percent
from crypto_bot.backtesting.intrabar import WAYS
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.months import month_gains, month_name
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS, PPM, format_scaled

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket

FEWEST_TRIPS = 30
SURE = 0.95
SUSPECT_SHARPE = 3.0
SUSPECT_PROFIT_FACTOR = 4.0
SHORTEST_DAYS = 180
DAYS_PER_YEAR = 365
FEWEST_MONTHS = 3
ALWAYS = 0.9
SAME_AS_MARKET = 0.8
WIDE_BRACKET = 0.01
USUAL_FEE_PPM = 1_000


class Remark(NamedTuple):
    """One objection: the matter, and what it means."""

    title: str
    text: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.title}: {self.text}"


def criticise(outcome: Outcome, metrics: Metrics, bracket: "Bracket | None" = None) -> tuple[Remark, ...]:
    """Return the objections to a run, the gravest first; each says the figure it rests on."""
    return (
        *_books(outcome, metrics),
        *_settings(outcome, metrics),
        *_sample(outcome, metrics),
        *_paths(outcome, bracket),
        *_edge(outcome, metrics),
        *_luck(outcome, metrics),
        *_market(outcome, metrics),
        *_skill(metrics),
    )


def _books(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to the accounts themselves."""
    if metrics.books_gap:
        gap = money(metrics.books_gap, 8, signed=True)
        yield Remark("Books do not add up", f"{gap} {outcome.quote} of the final equity come from no fill.")
    for asset, atoms in metrics.books.other_fees:
        text = (
            f"{format_scaled(atoms, 10**8)} {asset} of fees were paid beside {outcome.quote}; no figure contains them."
        )
        yield Remark(f"Fees in {asset}", text)


def _settings(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to what the simulation was told to believe."""
    taken, quote = outcome.assumptions, outcome.quote
    resting = int(np.count_nonzero(outcome.fills["maker"]))
    market = outcome.fills.size - resting
    if taken.fill_at == "close":
        text = f"{_orders(market)} filled at the very close of the decision; nobody can trade like that."
        yield Remark("zero_delay", text)
    if taken.limits == "off":
        fall = percent(-metrics.drawdown.deepest)
        text = f"only cash and the exchange's filters held the bot, {fall} down at worst; real runs have risk limits."
        yield Remark("Limits off", text)
    if taken.fills == "touch":
        text = (
            f"{_orders(resting, 'resting')} filled, also where the price only touched the limit, as if first in line."
        )
        yield Remark("Touch fills", text)
    if WAYS[taken.fills].path:
        text = (
            f"{_orders(resting)} filled along a guessed path inside each bar; --bracket tells what hangs on the guess."
        )
        yield Remark("Guessed path", text)
    if not taken.fee_taker_bps and not taken.fee_maker_bps:
        usual = money(metrics.costs.traded * USUAL_FEE_PPM // PPM)
        yield Remark(
            "No fees", f"the exchange charges some; 10 basis points a side, which is usual, come to {usual} {quote}."
        )
    if not taken.slippage_bps and market:
        yield Remark("No slippage", f"{_orders(market, 'market')} filled at the bar's open exactly.")


def _orders(count: int, kind: str = "") -> str:
    """Return so many orders of a kind as the beginning of a sentence in the past."""
    named = f"{kind} order".strip()
    return f"1 {named} was" if count == 1 else f"{count:,} {named}s were"


def _sample(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to how little was seen."""
    trips = metrics.books.trips.closed
    if outcome.fills.size == 0:
        refused = f" {outcome.refused:,} were refused by limits or filters." if outcome.refused else ""
        yield Remark("No fills", f"no order was filled, so every figure is that of idle cash.{refused}")
    elif trips < FEWEST_TRIPS:
        closed = f"{trips} round trip{'' if trips == 1 else 's'}"
        yield Remark("Too few trades", f"{closed} cannot tell skill from luck; {FEWEST_TRIPS} is the least.")
    days = (int(outcome.times[-1] - outcome.times[0]) + timeframe_ns(outcome.timeframe)) // DAY_NS
    if days < SHORTEST_DAYS:
        yield Remark("Short window", f"{days} day{'' if days == 1 else 's'} see one kind of market.")


def _paths(outcome: Outcome, bracket: "Bracket | None") -> Iterator[Remark]:
    """Objections to a result that hangs on what bars do not tell."""
    if bracket is None:
        return
    low, high, initial = bracket.low, bracket.high, outcome.initial_equity
    turns = (low.final_equity < initial) != (high.final_equity < initial)
    if turns or high.final_equity - low.final_equity > WIDE_BRACKET * initial:
        ends = f"{percent(low.total_return, signed=True)} ({low.fills}) and {percent(high.total_return, signed=True)}"
        text = f"the result lies between {ends} ({high.fills}), by the order in which each bar's prices came."
        yield Remark("Depends on the path", text)


def _edge(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to what is left of the closed trades' profit after costs."""
    if metrics.books.trips.closed == 0:
        return
    quote, fees, slippage = outcome.quote, int(metrics.books.trips.fees.sum()), max(metrics.costs.slippage, 0)
    before, paid = metrics.gross + slippage, fees + slippage
    costs = f"fees of {money(fees)} {quote}" + (f" and slippage of {money(slippage)}" if slippage else "")
    if 0 < before <= paid:
        yield Remark("Costs larger than the edge", f"{costs} took all of the {money(before)} won before them.")
    elif before > 0 and 2 * paid > before:
        yield Remark("Costs eat the edge", f"{costs} took {percent(paid / before, 0)} of what was won before them.")
    elif before < 0:
        text = f"closed trades lost {money(-before)} {quote} before costs; {costs} came on top."
        yield Remark("No edge", text)


def _luck(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to how few trades or weeks the profit came from."""
    net, quote = metrics.books.trips.net, outcome.quote
    best = int(net.max()) if net.size else 0
    if metrics.net > 0 and net.size > 1:
        if metrics.net <= best:
            rest = money(metrics.net - best, signed=True)
            yield Remark("One lucky trade", f"the best brought {money(best)} {quote}; all others together {rest}.")
        elif 2 * best > metrics.net:
            share = percent(best / metrics.net, 0)
            yield Remark("One lucky trade", f"{share} of the net profit of closed trades came from a single one.")
    months, gains = month_gains(outcome)
    total, most = int(gains.sum()), int(np.argmax(gains))
    if total > 0 and months.size >= FEWEST_MONTHS and 2 * int(gains[most]) > total:
        month, gain = month_name(int(months[most])), int(gains[most])
        rest = money(total - gain, signed=True)
        text = f"{month} brought {money(gain)} of {money(total)} {quote}; the other {months.size - 1} together {rest}."
        yield Remark("One good month", text)


def _market(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to calling the market's doing the bot's."""
    held, market = metrics.buy_and_hold_return, metrics.market
    if outcome.fills.size == 0 or held is None:
        return
    if held > metrics.total_return:
        made = f"{percent(held, signed=True)} after costs, the bot {percent(metrics.total_return, signed=True)}"
        yield Remark("Holding was better", f"buying once and waiting made {made}.")
    sides = {int(side) for side in metrics.books.trips.side} | {
        1 if each.held > 0 else -1 for each in metrics.books.open
    }
    explained = 0.0 if market is None else market.explained
    if len(sides) == 1 and (metrics.exposure > ALWAYS or explained > SAME_AS_MARKET):
        side = "long" if sides == {1} else "short"
        moved = f"a market that {'rose' if held >= 0 else 'fell'} {percent(abs(held))}"
        beta = "" if market is None else f"; its moves explain {percent(explained, 0)} of the bot's"
        text = f"{side} {percent(metrics.exposure, 0)} of the time and never the other way, in {moved}{beta}."
        yield Remark("One-sided", text)


def _skill(metrics: Metrics) -> Iterator[Remark]:
    """Objections to how the ratios are read."""
    scores, sure, trips = metrics.scores, metrics.certainty, metrics.books.trips.closed
    factor = scores.profit_factor
    spotless = trips >= FEWEST_TRIPS and (factor is None or factor > SUSPECT_PROFIT_FACTOR)
    if (metrics.sharpe or 0) > SUSPECT_SHARPE or spotless:
        lost = f"a profit factor of {number(factor)}" if scores.losses else "no losing trade"
        found = f"a Sharpe ratio of {number(metrics.sharpe)} and {lost}"
        text = f"{found} are rarer than mistakes. Look for look-ahead, missing costs and fills nobody would get."
        yield Remark("Too good to be true", text)
    elif sure.skill is not None and 0.5 < sure.skill < SURE:
        unit = "days" if metrics.periods_per_year == DAYS_PER_YEAR else "bars"
        needed = f"; {number(sure.needed, 0)} {unit} like these would make it sure" if sure.needed else ""
        text = f"the Sharpe ratio is above zero with {percent(sure.skill, 0)} certainty only{needed}."
        yield Remark("Perhaps luck", text)
    if sure.echoes and metrics.sharpe_se is not None:
        told = f"{number(metrics.sharpe_se)} becomes {PLUS_MINUS} {number(sure.echo_error)}"
        text = f"each return resembles the one before by {number(sure.echo)}; the Sharpe ratio's {PLUS_MINUS} {told}."
        yield Remark("Returns echo", text)
