"""What a careful reader would hold against a run, in words."""

from collections.abc import Iterator
from typing import NamedTuple

from crypto_bot.backtesting.figures import money, number, percent
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS, format_scaled

FEWEST_TRIPS = 30
SURE = 0.95
SUSPECT_SHARPE = 3.0
SUSPECT_PROFIT_FACTOR = 4.0
SHORTEST_DAYS = 180
DAYS_PER_YEAR = 365


class Remark(NamedTuple):
    """One objection: the matter, and what it means."""

    title: str
    text: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.title}: {self.text}"


def criticise(outcome: Outcome, metrics: Metrics) -> tuple[Remark, ...]:
    """Return the objections to a run, the gravest first."""
    return (
        *_books(outcome, metrics),
        *_settings(outcome),
        *_sample(outcome, metrics),
        *_edge(outcome, metrics),
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


def _settings(outcome: Outcome) -> Iterator[Remark]:
    """Objections to what the simulation was told to believe."""
    taken = outcome.assumptions
    if taken.fill_at == "close":
        yield Remark(
            "zero_delay", "orders were filled at the very close that decided them; nobody can trade like that."
        )
    if taken.limits == "off":
        yield Remark("Limits off", "only cash and the exchange's filters held the bot; real runs have risk limits.")
    if taken.fills == "touch":
        yield Remark(
            "Touch fills", "resting orders filled when the price only touched them, as if always first in line."
        )
    if not taken.fee_taker_bps and not taken.fee_maker_bps:
        yield Remark("No fees", "the exchange charges some; ten basis points a side is usual.")
    if not taken.slippage_bps:
        yield Remark("No slippage", "market orders filled at the bar's open exactly.")


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


def _edge(outcome: Outcome, metrics: Metrics) -> Iterator[Remark]:
    """Objections to where the profit came from."""
    net, quote = metrics.books.trips.net, outcome.quote
    best = int(net.max()) if net.size else 0
    if metrics.net > 0 and net.size > 1:
        if metrics.net <= best:
            rest = money(metrics.net - best, signed=True)
            yield Remark("One lucky trade", f"the best brought {money(best)} {quote}; all others together {rest}.")
        elif 2 * best > metrics.net:
            share = percent(best / metrics.net, 0)
            yield Remark("One lucky trade", f"{share} of the net profit of closed trades came from a single one.")
    fees = int(metrics.books.trips.fees.sum())
    if 0 < metrics.gross <= fees:
        text = f"fees of {money(fees)} {quote} took all of the {money(metrics.gross)} won before them."
        yield Remark("Costs larger than the edge", text)
    elif metrics.gross > 0 and 2 * fees > metrics.gross:
        yield Remark("Costs eat the edge", f"fees took {percent(fees / metrics.gross, 0)} of what was won before them.")
    elif metrics.gross < 0:
        text = f"closed trades lost {money(-metrics.gross)} {quote} before fees, and the fees took {money(fees)} more."
        yield Remark("No edge", text)


def _skill(metrics: Metrics) -> Iterator[Remark]:
    """Objections to how the ratios are read."""
    trips = metrics.books.trips.closed
    spotless = trips >= FEWEST_TRIPS and (
        metrics.profit_factor is None or metrics.profit_factor > SUSPECT_PROFIT_FACTOR
    )
    if (metrics.sharpe or 0) > SUSPECT_SHARPE or spotless:
        lost = "no losing trade" if not metrics.losses else f"a profit factor of {number(metrics.profit_factor)}"
        found = f"a Sharpe ratio of {number(metrics.sharpe)} and {lost}"
        text = f"{found} are rarer than mistakes. Look for look-ahead, missing costs and fills nobody would get."
        yield Remark("Too good to be true", text)
    elif metrics.skill is not None and 0.5 < metrics.skill < SURE:
        unit = "days" if metrics.periods_per_year == DAYS_PER_YEAR else "bars"
        needed = (
            f"; {number(metrics.needed_periods, 0)} {unit} like these would make it sure"
            if metrics.needed_periods
            else ""
        )
        text = f"the Sharpe ratio is above zero with {percent(metrics.skill, 0)} certainty only{needed}."
        yield Remark("Perhaps luck", text)
