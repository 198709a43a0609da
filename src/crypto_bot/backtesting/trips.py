"""Round trips: what each closed part of a position cost, brought and left, exactly, in atoms of the quote asset.

A position is kept per strategy and instrument at average cost. Every fill that reduces it ends one round trip; a fill
that turns it round ends one and opens the next. Money is rounded to an atom against us: what we pay upwards, what we
get downwards. The cost of a part is rounded down, as in the kernel's ledger, so that both realise the same. Fees in
the quote asset are booked as they are, fees in the base asset are paid from the position and valued at the fill's
price, fees in a third asset are only told, by asset. Less than a lot, which such fees leave, counts as nothing held.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import ATOMS

_SAFE = 2.0**62
"""Products below this fit into 64 bits with room for a float's rounding."""


class Trips(NamedTuple):
    """Columns of int64, one row per round trip in the order of its closing fill.

    `fill` is the row of the closing fill, `side` +1 for a long position and -1 for a short one. `quantity` is in
    atoms of the base asset, `entry_price` in atoms of quote per unit (average, rounded down), `exit_price` at the
    instrument's scale; `cost`, `gross`, `fees`, `net` are atoms of the quote asset; `bars` is the holding time.
    """

    fill: IntArray
    strategy: IntArray
    instrument: IntArray
    order_id: IntArray
    side: IntArray
    entry_ns: IntArray
    exit_ns: IntArray
    bars: IntArray
    quantity: IntArray
    entry_price: IntArray
    exit_price: IntArray
    cost: IntArray
    gross: IntArray
    fees: IntArray
    net: IntArray

    @property
    def closed(self) -> int:
        """How many round trips there are."""
        return int(self.net.size)


@dataclass(slots=True)
class Position:
    """What one strategy holds of one instrument: base atoms (signed), their cost, and the fees of buying them.

    `lot` is the smallest part that can be traded, in base atoms.
    """

    strategy: int
    instrument: int
    lot: int = 1
    held: int = 0
    cost: int = 0
    fees: int = 0
    entry_ns: int = 0
    entry_bar: int = 0


class Books(NamedTuple):
    """The run's fills, settled: closed trips, open positions, the fees by what paid them, each fill's base change.

    `fees` are all fees that can be told in the quote asset, of open positions too; `other_fees` are atoms of third
    assets. `changes` holds the signed base atoms that each fill moved, `bars` the slice each fill belongs to.
    """

    trips: Trips
    open: tuple[Position, ...]
    fees: int
    other_fees: tuple[tuple[str, int], ...]
    changes: IntArray
    bars: IntArray


@dataclass(slots=True)
class _Ledger:
    """The positions while the fills go by, and the rows that came out."""

    positions: dict[tuple[int, int], Position] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    fees: int = 0
    other_fees: dict[str, int] = field(default_factory=dict)


class _Move(NamedTuple):
    """One fill in base atoms and quote atoms: `change` signed, `money` without fees, `fee` valued in quote."""

    row: int
    order_id: int
    time_ns: int
    bar: int
    change: int
    price: int
    money: int
    fee: int


def ceil_divide(numerator: int, denominator: int) -> int:
    """Divide integers, rounding up."""
    return -(-numerator // denominator)


def lot_atoms(instrument: Instrument) -> int:
    """Return the smallest quantity that can be traded, in base atoms: less is left over and not held."""
    return instrument.lot * (ATOMS // instrument.quantity_scale)


def worth(instrument: Instrument, price: int, quantity: int, *, up: bool) -> int:
    """Return price x quantity in atoms of the quote asset, rounded up or down to an atom."""
    scale = instrument.price_scale * instrument.quantity_scale
    return _part(price * quantity, ATOMS, scale, up=up)


def _moneys(outcome: Outcome) -> list[int]:
    """Return what each fill moved in atoms of the quote asset, without fees: what we pay rounded up, else down."""
    fills = outcome.fills
    prices, sizes, buys = fills["price"].astype(np.int64), fills["quantity"].astype(np.int64), fills["side"] > 0
    found = np.zeros(fills.size, dtype=np.int64)
    for k, instrument in enumerate(outcome.instruments):
        mine = np.flatnonzero(fills["instrument"] == k)
        scale = instrument.price_scale * instrument.quantity_scale
        times, over = max(ATOMS // scale, 1), max(scale // ATOMS, 1)
        price, size = prices[mine], sizes[mine]
        if times * scale != over * ATOMS or float(np.max(price.astype(np.float64) * size, initial=0)) * times > _SAFE:
            exact = zip(price.tolist(), size.tolist(), buys[mine].tolist(), strict=True)
            found[mine] = [worth(instrument, each, many, up=up) for each, many, up in exact]
            continue
        product = price * size * times
        found[mine] = np.where(buys[mine], -(-product // over), product // over)
    return found.tolist()


def settle(outcome: Outcome) -> Books:
    """Go through the fills of a run and close its round trips."""
    fills = outcome.fills
    bars = np.maximum(np.searchsorted(outcome.times, fills["time_ns"], "right") - 1, 0).astype(np.int64)
    names = ("time_ns", "strategy", "instrument", "order_id", "side", "price", "quantity", "fee", "fee_asset")
    rows = zip(bars.tolist(), _moneys(outcome), *(fills[name].tolist() for name in names), strict=True)
    bases, quote = [instrument.base for instrument in outcome.instruments], outcome.quote
    ledger = _Ledger()
    for row, (bar, money, time_ns, strategy, k, order_id, side, price, quantity, fee, asset) in enumerate(rows):
        instrument = outcome.instruments[k]
        change = side * quantity * (ATOMS // instrument.quantity_scale)
        paid_in = outcome.assets[asset]
        if paid_in == bases[k]:
            change -= fee
            fee = ceil_divide(fee * price, instrument.price_scale)
            money -= side * fee
        elif paid_in != quote:
            ledger.other_fees[paid_in] = ledger.other_fees.get(paid_in, 0) + fee
            fee = 0
        ledger.fees += fee
        ledger.changes.append(change)
        position = ledger.positions.get((strategy, k))
        if position is None:
            position = ledger.positions[strategy, k] = Position(strategy, k, lot_atoms(instrument))
        _book(ledger.rows, position, _Move(row, order_id, time_ns, bar, change, price, money, fee))
    return Books(
        trips=_columns(ledger.rows),
        open=tuple(position for position in ledger.positions.values() if position.held),
        fees=ledger.fees,
        other_fees=tuple(sorted(ledger.other_fees.items())),
        changes=np.array(ledger.changes, dtype=np.int64),
        bars=bars,
    )


def _book(rows: list[int], position: Position, move: _Move) -> None:
    """Apply one move to a position: open, add, close, or close and open the other way."""
    if position.held * move.change < 0:
        size = abs(move.change)
        closing = min(size, abs(position.held))
        if closing < size:
            money, fee = _part(move.money, closing, size, up=move.change > 0), move.fee * closing // size
            signed = closing if move.change > 0 else -closing
            _close(rows, position, move._replace(change=signed, money=money, fee=fee))
            move = move._replace(change=move.change - signed, money=move.money - money, fee=move.fee - fee)
        else:
            _close(rows, position, move)
            return
    if move.change == 0:
        return
    if abs(position.held) < position.lot:
        position.entry_ns, position.entry_bar = move.time_ns, move.bar
    position.held += move.change
    position.cost += move.money
    position.fees += move.fee


def _part(whole: int, part: int, size: int, *, up: bool) -> int:
    """Return whole x part / size, rounded to an atom."""
    return ceil_divide(whole * part, size) if up else whole * part // size


def _close(rows: list[int], position: Position, move: _Move) -> None:
    """End a round trip of what the move takes from the position."""
    long = position.held > 0
    held, size = abs(position.held), abs(move.change)
    if size == held:
        cost, entry_fee = position.cost, position.fees
    else:
        cost = _part(position.cost, size, held, up=False)
        entry_fee = _part(position.fees, size, held, up=True)
    gross = move.money - cost if long else cost - move.money
    fees = entry_fee + move.fee
    # The order of Trips' fields.
    rows += (
        move.row,
        position.strategy,
        position.instrument,
        move.order_id,
        1 if long else -1,
        position.entry_ns,
        move.time_ns,
        move.bar - position.entry_bar,
        size,
        cost * ATOMS // size,
        move.price,
        cost,
        gross,
        fees,
        gross - fees,
    )
    position.held += move.change
    position.cost -= cost
    position.fees -= entry_fee


def _columns(rows: list[int]) -> Trips:
    """Turn the flat rows into columns."""
    table = np.array(rows, dtype=np.int64).reshape(-1, len(Trips._fields)).T
    return Trips(*(np.ascontiguousarray(column) for column in table))


def unrealised(outcome: Outcome, books: Books) -> int:
    """Return what the open positions are worth at the last closes beyond their cost, in atoms; fees left out."""
    if outcome.times.size == 0:
        return 0
    held: dict[int, int] = {}
    for position in books.open:
        held[position.instrument] = held.get(position.instrument, 0) + position.held
    value = 0
    for k, atoms in held.items():
        # Rounding down is against us for both signs: a debt is rounded to the larger one.
        value += atoms * int(outcome.closes[-1, k]) // outcome.instruments[k].price_scale
    cost = sum(position.cost if position.held > 0 else -position.cost for position in books.open)
    return value - cost
