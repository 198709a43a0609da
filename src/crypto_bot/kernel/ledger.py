"""The ledger: balances by asset, positions by instrument and by lane, and the laws they obey.

Money is never made or lost: every balance equals its beginning plus what was traded less fees plus
funding, the strategies' parts sum to the account, and a spot position is what the base asset holds.
"""

from crypto_bot.kernel.arithmetic import DOWN, UP, fee_on, money, proportion, quantise, share
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import BUY, CLOSES, Market, World
from crypto_bot.kernel.orders import reserve


@compiled(inline=True)
def worth_at(b: Record, price: int) -> int:
    """Return what a position is worth, rounded down: one multiplication where the scales allow it."""
    worth = b["worth_per_price"] * price
    if b["div"] != 1:
        worth += proportion(b["worth_rest"], price, b["div"])
    return int(worth)


@compiled(inline=True)
def equity_at(world: World, market: Market, i: int) -> int:
    """Return what the account is worth at the closes of slice i, in atoms of the quote asset."""
    desk = world.desk[0]
    equity = world.purse[desk["cash_asset"]]["balance"]
    for k in range(world.book.size):
        equity += worth_at(world.book[k], market.bars[CLOSES, i, k])
    return int(equity)


@compiled(inline=True)
def strategy_equity(world: World, market: Market, i: int, strategy: int) -> int:
    """Return what one strategy's part of the account is worth at the closes of slice i."""
    instruments = world.book.size
    equity = world.funds[strategy]["balance"]
    for k in range(instruments):
        quantity = world.subs[strategy * instruments + k]["position"]
        if quantity != 0:
            equity += money(market.bars[CLOSES, i, k], quantity, world.book[k], DOWN)
    return int(equity)


@compiled(inline=True)
def _change_position(p: Record, side: int, quantity: int, value: int) -> None:
    """Move one position record at average cost."""
    if side == BUY:
        p["cost"] += value
    else:
        held = p["position"]
        out = p["cost"] if quantity == held else proportion(p["cost"], quantity, held)
        p["cost"] -= out
        p["realised"] += value - out
    p["position"] += side * quantity


@compiled(inline=True)
def settle_fill(world: World) -> None:
    """Book the fill in the event register: money, position, fee, reservation; then check the laws."""
    desk = world.desk[0]
    e = world.event[0]
    lane = e["lane"]
    k = world.subs[lane]["instrument"]
    b = world.book[k]
    s = world.subs[lane]
    fund = world.funds[s["strategy"]]
    o = world.orders[lane, e["slot"]]
    side = e["side"]
    quantity = e["quantity"]
    value = money(e["price"], quantity, b, UP if side == BUY else DOWN)
    cash = world.purse[desk["cash_asset"]]
    base = world.purse[b["base"]]
    _change_position(b, side, quantity, value)
    _change_position(s, side, quantity, value)
    cash["balance"] -= side * value
    cash["traded"] -= side * value
    fund["balance"] -= side * value
    base["balance"] += side * quantity * b["unit"]
    base["traded"] += side * quantity * b["unit"]
    _pay_fee(world, lane, e["fee_asset"], e["fee"])
    b["worth_per_price"] = b["position"] * b["mult"]
    if b["div"] != 1:
        b["worth_per_price"] = b["position"] // b["div"]
        b["worth_rest"] = b["position"] % b["div"]
    if o["budget"] == 0:
        o["left"] -= quantity
        if o["left"] < 0:
            desk["laws"] += 1
    _shrink_reservation(world, lane, o, b, value)
    check_laws(world, lane)


@compiled(inline=True)
def _pay_fee(world: World, lane: int, asset: int, fee: int) -> None:
    """Take the fee from the asset it is charged in; a fee in the base asset makes the position smaller.

    What is left of a unit of quantity is kept as dust: it is ours, but it cannot be traded.
    """
    desk = world.desk[0]
    b = world.book[world.subs[lane]["instrument"]]
    s = world.subs[lane]
    purse = world.purse[asset]
    purse["balance"] -= fee
    purse["fees"] += fee
    if asset == desk["cash_asset"]:
        world.funds[s["strategy"]]["balance"] -= fee
        b["fees"] += fee
        s["fees"] += fee
    elif asset == b["base"]:
        units = quantise(fee, b["unit"], UP) // b["unit"]
        b["base_fees"] += fee
        b["dust"] += units * b["unit"] - fee
        _lose_position(b, units)
        _lose_position(s, units)


@compiled(inline=True)
def _lose_position(p: Record, quantity: int) -> None:
    """Take a quantity away for nothing; when nothing is left, so is its cost."""
    p["position"] -= quantity
    if p["position"] == 0:
        p["realised"] -= p["cost"]
        p["cost"] = 0


@compiled(inline=True)
def _shrink_reservation(world: World, lane: int, o: Record, b: Record, value: int) -> None:
    """Keep aside only what the rest of a buy may still cost; expect only what the rest of a sale may still bring."""
    if o["side"] == BUY and o["left"] > 0 and o["price"] > 0:
        rest = money(o["price"], o["left"], b, UP)
        rest += fee_on(rest, max(b["taker_ppm"], b["maker_ppm"]))
    else:
        rest = max(0, o["reserved"] - value)
    if rest < o["reserved"]:
        reserve(world, lane, o, rest - o["reserved"])
        o["reserved"] = rest


@compiled(inline=True)
def settle_funding(world: World, lane: int, mark: int, rate_ppm: int) -> None:
    """Pay or receive funding on a lane's position: longs pay a positive rate, rounded against us."""
    b = world.book[world.subs[lane]["instrument"]]
    s = world.subs[lane]
    quantity = s["position"]
    value = money(mark, abs(quantity), b, UP)
    pays = (quantity > 0) == (rate_ppm > 0)
    amount = -fee_on(value, abs(rate_ppm)) if pays else share(value, abs(rate_ppm))
    cash = world.purse[world.desk[0]["cash_asset"]]
    cash["balance"] += amount
    cash["funding"] += amount
    world.funds[s["strategy"]]["balance"] += amount
    b["funding"] += amount
    s["funding"] += amount
    check_laws(world, lane)


@compiled(inline=True)
def _unbalanced(purse: Record) -> int:
    return int(purse["balance"] != purse["initial"] + purse["traded"] - purse["fees"] + purse["funding"])


@compiled(inline=True)
def check_laws(world: World, lane: int) -> None:
    """Count every broken law: money conserved, parts sum to the whole, nothing owed on spot."""
    desk = world.desk[0]
    instruments = world.book.size
    k = world.subs[lane]["instrument"]
    b = world.book[k]
    base = world.purse[b["base"]]
    cash = world.purse[desk["cash_asset"]]
    broken = _unbalanced(cash) + _unbalanced(base)
    if b["contract"] == 0 and (cash["balance"] < 0 or base["balance"] < 0 or b["position"] < 0):
        broken += 1
    if b["contract"] == 0 and b["position"] * b["unit"] + b["dust"] != base["traded"] - b["base_fees"]:
        broken += 1
    parts = 0
    for s in range(world.funds.size):
        parts += world.funds[s]["balance"]
    held = 0
    for s in range(world.funds.size):
        held += world.subs[s * instruments + k]["position"]
    if parts != cash["balance"] or held != b["position"]:
        broken += 1
    desk["laws"] += broken
