"""A believable journal of a grid run, made without the engine: for tests of whatever reads journals.

Prices are a seeded walk. The book is kept here, independently of the code under test, so that the
figures in the rows can be compared with what a reader derives from them.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from crypto_bot.persistence.row import JournalRow

RUN_ID = "20230622-000000-7f3a"
START_NS = 1_687_392_000_000_000_000  # 2023-06-22T00:00:00Z
BAR_NS = 900_000_000_000
PRICE, QUANTITY, ATOMS = 100, 1_000_000, 100_000_000
SIZE = 20_000  # 0.02 BTC
LINES = [price * PRICE for price in range(29_600, 31_401, 100)]
CASH = 25_000 * ATOMS
FEE_PPM = 1_000

Told = dict[str, int | list[dict[str, str | int]]]


def start_payload(**settings: "str | float") -> str:
    """Return the payload of the START row."""
    return _json(
        {
            "mode": "forward",
            "strategies": [{"name": "grid", "params": {"num_grids": 18, "lower_price": 29600, "upper_price": 31400}}],
            "instruments": [
                {
                    "symbol": "BTC/USDT", "exchange": "binance", "price_scale": PRICE, "quantity_scale": QUANTITY,
                    "tick": 1, "lot": 10, "min_notional": 10 * ATOMS,
                }
            ],
            "timeframe": "15m", "cash": CASH, "quote": "USDT",
            "settings": {"fills": "pessimistic", "feed": "recorded", "environment": "recorded", **settings},
            "code_version": "0.1.0", "data_hash": "00" * 8,
        }
    )  # fmt: skip


@dataclass
class Grid:
    """The book of the run: cash, base and resting lines; `rows` yields the journal."""

    bars: int = 1_920
    seed: int = 7
    settings: "dict[str, str | float]" = field(default_factory=dict)
    cash: int = CASH
    base: int = 0
    fees: int = 0
    close: int = 30_500 * PRICE
    order_id: int = 0
    trade_id: int = 88_121_000
    resting: dict[int, tuple[int, int]] = field(default_factory=dict)  # line -> side, order id
    sequence: int = -1

    def rows(self) -> Iterator[JournalRow]:
        """Yield START, then per bar its FILL and ORDER rows and its SLICE."""
        dice = random.Random(self.seed)
        yield self._row("START", START_NS, start_payload(**self.settings), {})
        pending = 0
        for number in range(self.bars):
            opened = START_NS + number * BAR_NS
            bar = self._bar(dice)
            if number == 1:
                yield self._fill(pending, 1, bar[0], SIZE * 9, time_ns=opened)
            if number > 1:
                yield from self._fills(bar, opened)
            decisions: list[dict[str, str | int]] = []
            if number == 0:
                pending = self._next_order()
                decisions.append(self._approved(pending, 1, None, SIZE * 9))
            if number == 1:
                decisions += self._open_grid()
            equity = self.cash + self.base * self.close
            outcome: Told = {"equity": equity, "halt": 0, "decisions": decisions}
            yield self._row("SLICE", opened + BAR_NS, _json({"time": opened, "bars": [bar]}), outcome)
            if number == 1:
                for side, order in self.resting.values():
                    text = _json({"order": order, "strategy": 0, "instrument": 0, "state": "open"})
                    yield self._row("ORDER", opened + BAR_NS, text, {"decisions": []})
                    assert side

    def _bar(self, dice: random.Random) -> list[int]:
        opened = self.close
        width = dice.choice((15, 25, 40, 90)) * PRICE
        pull = (30_500 * PRICE - opened) // 60
        path = [opened]
        for _ in range(4):
            path.append(path[-1] + pull // 4 + dice.randint(-width, width) // 2)
        self.close = path[-1]
        return [opened, max(path), min(path), self.close, dice.randint(40, 600) * QUANTITY]

    def _open_grid(self) -> "list[dict[str, str | int]]":
        nearest = min(LINES, key=lambda line: abs(line - self.close))
        for line in LINES:
            if line != nearest:
                self.resting[line] = (1 if line < self.close else -1, self._next_order())
        return [self._approved(order, side, line, SIZE) for line, (side, order) in self.resting.items()]

    def _fills(self, bar: list[int], opened: int) -> Iterator[JournalRow]:
        """Fill what the bar trades through, and put the opposite order one line further."""
        _, high, low, _, _ = bar
        for line, (side, order) in sorted(self.resting.items()):
            crossed = low < line if side > 0 else high > line
            counter = line + side * 100 * PRICE
            if crossed and (side > 0 or self.base >= SIZE) and counter not in self.resting and counter in LINES:
                del self.resting[line]
                new = self._next_order()
                self.resting[counter] = (-side, new)
                approved = self._approved(new, -side, counter, SIZE)
                yield self._fill(order, side, line, SIZE, time_ns=opened, decisions=[approved])

    def _fill(
        self,
        order: int,
        side: int,
        price: int,
        quantity: int,
        *,
        time_ns: int,
        decisions: "list[dict[str, str | int]] | None" = None,
    ) -> JournalRow:
        fee = price * quantity * FEE_PPM // 1_000_000
        self.cash -= side * price * quantity + fee
        self.base += side * quantity
        self.fees += fee
        self.trade_id += 1
        payload = {
            "order": order, "strategy": 0, "instrument": 0, "side": side, "price": price, "quantity": quantity,
            "fee": fee, "fee_asset": "USDT", "maker": True, "trade": self.trade_id, "time": time_ns,
        }  # fmt: skip
        return self._row("FILL", time_ns, _json(payload), {"decisions": decisions or []})

    def _approved(self, order: int, side: int, price: int | None, quantity: int) -> "dict[str, str | int]":
        told: dict[str, str | int] = {
            "kind": "approved", "strategy": "grid", "symbol": "BTC/USDT", "order_id": order,
            "side": "buy" if side > 0 else "sell", "type": "limit" if price else "market",
            "quantity": f"{quantity / QUANTITY:.5f}",
        }  # fmt: skip
        return told | ({"price": f"{price / PRICE:.2f}"} if price else {})

    def _next_order(self) -> int:
        self.order_id += 1
        return self.order_id

    def _row(self, kind: str, time_ns: int, payload: str, outcome: Told) -> JournalRow:
        self.sequence += 1
        return JournalRow(self.sequence, time_ns, kind, payload, _json(outcome), f"{self.sequence:016x}")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
