"""Journals made by a seed: rows like a run's, with orders in every state, late fills, fees in both assets."""

import random
from collections.abc import Iterator

import msgspec

from crypto_bot.domain.instrument import Instrument
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    FillEvent,
    OrderEvent,
    Outcome,
    SliceEvent,
    Start,
    StopEvent,
    StrategyEntry,
    encode,
)
from crypto_bot.persistence.row import JournalRow

RUN = "20261120-233000-7f3a"
HOUR_NS = 3_600_000_000_000
BEGIN_NS = 1_700_000_000_000_000_000 // HOUR_NS * HOUR_NS
INSTRUMENTS = [
    Instrument("BTC/USDT", price_scale=100, quantity_scale=1_000_000),
    Instrument("DOGE/USDT", price_scale=100_000, quantity_scale=1),
]
LIVE = 60
"""Orders that rest at one time, as in two lanes of a run."""
STRATEGIES = ("grid", "simple_ma")
ENDS = ("canceled", "expired", "rejected")


def start_row() -> JournalRow:
    """Return the first row of a run."""
    costs = msgspec.Raw(b'{"costs":{"maker_ppm":1000,"taker_ppm":1000,"slippage_ppm":0,"fee_in":"quote"}}')
    start = Start(
        mode="forward",
        strategies=[StrategyEntry(name) for name in STRATEGIES],
        instruments=INSTRUMENTS,
        timeframe="1h",
        cash=10_000 * 10**8,
        quote="USDT",
        settings={"simulation": costs},
    )
    return JournalRow(0, BEGIN_NS, "START", encode(start), "{}", "0" * 16)


class _Market:
    """Orders that are placed, filled in parts, ended and filled too late, as the dice fall."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.orders: dict[int, list[int]] = {}
        self.gone: list[int] = []
        self.next_order = 1

    def slice(self, hour: int) -> tuple[str, str, str]:
        bars: list[tuple[int, int, int, int, int] | None] = [self._bar(price) for price in (3_000_000, 8_000)]
        equity = 10**12 + self.dice.randrange(-(10**9), 10**9)
        event = SliceEvent(BEGIN_NS + hour * HOUR_NS, bars)
        return "SLICE", encode(event), encode(Outcome(equity=equity, halt=0))

    def signal(self) -> tuple[str, str, str]:
        k, name = self.dice.randrange(2), self.dice.choice(STRATEGIES)
        symbol, told = INSTRUMENTS[k].symbol, [Decision("signal", name, INSTRUMENTS[k].symbol, reason="hold some")]
        for _ in range(self.dice.randrange(1, 4)):
            number, self.next_order = self.next_order, self.next_order + 1
            side = self.dice.choice(("buy", "sell"))
            if self.dice.random() < 0.2:
                told.append(Decision("approved", name, symbol, number, side, "market", budget="12.5", reason="cut"))
                self.orders[number] = [k, 1 if side == "buy" else -1, 0]
                continue
            quantity, price = self.dice.randrange(1, 900), self.dice.randrange(1, 10_000)
            words = (name, symbol, number, side, "limit", INSTRUMENTS[k].price_text(price))
            verdict = "refused" if self.dice.random() < 0.1 else "approved"
            told.append(Decision(verdict, *words, INSTRUMENTS[k].quantity_text(quantity)))
            if verdict == "approved":
                self.orders[number] = [k, 1 if side == "buy" else -1, quantity]
        if self.orders and self.dice.random() < 0.3:
            told.append(Decision("cancel", name, symbol, self.dice.choice(sorted(self.orders))))
        return "SIGNAL", '{"wishes":[]}', encode(Outcome(decisions=told))

    def report(self) -> tuple[str, str, str]:
        late = bool(self.gone) and self.dice.random() < 0.05
        number = self.dice.choice(self.gone) if late else self.dice.choice(sorted(self.orders))
        k, side, left = (0, 1, 5) if late else self.orders[number]
        if late or self.dice.random() < 0.5:
            return self._fill(number, k, side, left)
        state = self.dice.choice(("open", "sent", "unknown", "absent", *ENDS))
        if state in ENDS:
            self.gone.append(number)
            del self.orders[number]
        return "ORDER", encode(OrderEvent(number, 0, k, state)), "{}"

    def _fill(self, number: int, k: int, side: int, left: int) -> tuple[str, str, str]:
        quantity = max(1, left if self.dice.random() < 0.5 else left // 2)
        if number in self.orders:
            self.orders[number][2] = left - quantity
            if left - quantity <= 0:
                del self.orders[number]
                self.gone.append(number)
        asset = self.dice.choice(("USDT", INSTRUMENTS[k].base, "BNB"))
        price, fee = self.dice.randrange(1, 10_000), self.dice.randrange(1_000)
        fill = FillEvent(number, 0, k, side, price, quantity, fee, asset, self.dice.random() < 0.5, number, BEGIN_NS)
        return "FILL", encode(fill), encode(Outcome(decisions=[Decision("fill", order_id=number)]))

    def _bar(self, price: int) -> tuple[int, int, int, int, int]:
        low, high = price - self.dice.randrange(99), price + self.dice.randrange(99)
        return self.dice.randint(low, high), high, low, self.dice.randint(low, high), self.dice.randrange(10**9)


def made_rows(count: int, seed: int = 1) -> Iterator[JournalRow]:
    """Yield `count` rows of a run that begins."""
    market, hour = _Market(seed), 0
    yield start_row()
    for sequence in range(1, count):
        chance = market.dice.random()
        if sequence == count - 1:
            kind, payload, outcome = "STOP", encode(StopEvent("done")), "{}"
        elif chance < 0.4:
            kind, payload, outcome = market.slice(hour)
            hour += 1
        elif chance < 0.42:
            kind, payload, outcome = "COMMAND", encode(CommandEvent("halt", "a drill", "me")), "{}"
        elif (chance < 0.6 and len(market.orders) < LIVE) or not market.orders:
            kind, payload, outcome = market.signal()
        else:
            kind, payload, outcome = market.report()
        yield JournalRow(sequence, BEGIN_NS + hour * HOUR_NS, kind, payload, outcome, f"{sequence:016x}")
