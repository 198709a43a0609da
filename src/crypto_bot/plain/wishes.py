"""Signals become wishes: the same cells of the world that the words of a compiled strategy write."""

from collections.abc import Sequence
from operator import index
from typing import SupportsIndex, cast

from crypto_bot.domain.units import INT64_MAX
from crypto_bot.kernel.compiled import Record
from crypto_bot.kernel.layout import BUY, GUARDED, QUOTED, QUOTES, SELL, TARGETED, Account
from crypto_bot.plain.words import Quote, Signal

PPM = 1_000_000
_COUNTED = 4e18
_FORGIVEN, _OF_MANY_DIGITS = 1e-6, 4.5e-16
"""How much of a step is forgiven, as `kernel.words` forgives it."""


class WrongSignal(ValueError):
    """A signal asks for what cannot be; the text says what."""


def wish(account: Account, k: int, signal: Signal) -> bool:
    """Write what a signal wants of instrument k; True when that changes anything. WrongSignal: nothing is written."""
    w, b = account.wish[k], account.book[k]
    target = _target(signal, b)
    guards = _guards(signal, w, b)
    quotes = [_quote(each, b) for each in _given_quotes(signal)] if signal.quotes is not None else None
    if quotes is not None and len(quotes) > QUOTES:
        raise WrongSignal(f"asks for {len(quotes)} resting orders on {signal.symbol}; {QUOTES} are possible")
    changed = 0
    if target is not None and target != (int(w["weight"]), int(w["hold"])):
        w["weight"], w["hold"] = target
        changed |= TARGETED
        if target == (0, -1):
            guards = (0, 0)
            changed |= GUARDED
    if guards is not None and guards != (int(w["stop"]), int(w["take"])):
        w["stop"], w["take"] = guards
        changed |= GUARDED
    if quotes is not None and _lay(w, quotes):
        changed |= QUOTED
    if changed:
        w["dirty"] |= changed
        account.wish[0]["any"] = 1
    return changed != 0


def valid_until(signal: Signal) -> int | None:
    """Return the time until which a signal is valid, None for ever; WrongSignal when it is no time."""
    given: object = signal.valid_until_ns
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, SupportsIndex) or not 0 <= index(given) <= INT64_MAX:
        text = f"gives {repr(given)[:80]} as valid_until_ns of {signal.symbol}; give whole nanoseconds since 1970, UTC"
        raise WrongSignal(text)
    return index(given)


def share_in_ppm(given: object, symbol: str) -> int:
    """Return a share in parts per million, as `target` rounds it; WrongSignal when it is none."""
    share = _number(given, "share", symbol)
    if not 0.0 <= share <= 1.0:
        raise WrongSignal(f"asks for the share {share!r} of {symbol}; a share lies between 0 and 1")
    return int(share * PPM + 0.5)


def _target(signal: Signal, b: Record) -> tuple[int, int] | None:
    """Return weight and hold, None when the signal leaves them as they are."""
    if signal.share is not None and signal.quantity is not None:
        raise WrongSignal(f"gives both a share and a quantity of {signal.symbol}; give one of the two")
    if signal.share is not None:
        return share_in_ppm(signal.share, signal.symbol), -1
    if signal.quantity is not None:
        return 0, _lots(_number(signal.quantity, "quantity", signal.symbol), b)
    return None


def _guards(signal: Signal, w: Record, b: Record) -> tuple[int, int] | None:
    if signal.stop is None and signal.take_profit is None:
        return None
    stop, take = int(w["stop"]), int(w["take"])
    if signal.stop is not None:
        stop = _ticks(_number(signal.stop, "stop", signal.symbol), b, up=False)
    if signal.take_profit is not None:
        price = _number(signal.take_profit, "take_profit", signal.symbol)
        take = _ticks(price, b, up=True) if price > 0 else 0
    return stop, take


def _given_quotes(signal: Signal) -> Sequence[Quote]:
    """Return the quotes of a signal; WrongSignal when they are no row of quotes, as when the comma is forgotten."""
    given: object = signal.quotes
    if not isinstance(given, tuple | list) or not all(isinstance(each, Quote) for each in given):
        text = f"gives {repr(given)[:80]} as quotes of {signal.symbol}"
        raise WrongSignal(f'{text}; write them as (Quote("buy", 25_000.0, 0.01),) with a comma behind a single one')
    return given


def _quote(quote: Quote, b: Record) -> tuple[int, int, int]:
    """Return side, price and quantity of a resting order as the kernel counts them."""
    if quote.side not in ("buy", "sell"):
        raise WrongSignal(f"has a quote whose side is {repr(quote.side)[:80]}; it is buy or sell")
    price, quantity = _number(quote.price, "price", "a quote"), _number(quote.quantity, "quantity", "a quote")
    if price == 0.0:
        raise WrongSignal("has a quote whose price is 0; it must be positive")
    side = BUY if quote.side == "buy" else SELL
    return side, _ticks(price, b, up=side == SELL), _lots(quantity, b)


def _lay(w: Record, quotes: list[tuple[int, int, int]]) -> bool:
    """Lay quotes into their slots, the rest empty; True when one differs."""
    changed = False
    for slot in range(max(len(quotes), int(w["quotes"]))):
        q = w["quote"][slot]
        side, price, quantity = quotes[slot] if slot < len(quotes) else (int(q["side"]), int(q["price"]), 0)
        same = int(q["quantity"]) == quantity and (quantity == 0 or (int(q["price"]), int(q["side"])) == (price, side))
        if not same:
            q["side"], q["price"], q["quantity"] = side, price, quantity
            changed = True
    w["quotes"] = max(len(quotes), int(w["quotes"]))
    return changed


def _number(given: object, what: str, of: str) -> float:
    """Return a number that is at least 0."""
    try:
        number = float("no" if isinstance(given, str | bytes) else cast(float, given))
    except (TypeError, ValueError, OverflowError):
        raise WrongSignal(f"gives {repr(given)[:80]} as {what} of {of}, which is not a number") from None
    if not 0.0 <= number < float("inf"):
        wrong = "not a number" if number != number else "below 0" if number < 0 else "without end"
        raise WrongSignal(f"gives {number!r} as {what} of {of}, which is {wrong}")
    return number


def _steps(count: float, *, up: bool) -> int:
    slack = _FORGIVEN + count * _OF_MANY_DIGITS
    return int(count + 1.0 - slack if up else count + slack)


def _lots(quantity: float, b: Record) -> int:
    lot = int(b["lot"])
    if quantity * int(b["quantity_scale"]) >= _COUNTED:
        raise WrongSignal(f"asks for the quantity {quantity!r}, which is too large to be counted exactly")
    return _steps(quantity * int(b["quantity_scale"]) / lot, up=False) * lot


def _ticks(price: float, b: Record, *, up: bool) -> int:
    tick = int(b["tick"])
    if price * int(b["price_scale"]) >= _COUNTED:
        raise WrongSignal(f"gives the price {price!r}, which is too large to be counted exactly")
    return _steps(price * int(b["price_scale"]) / tick, up=up) * tick
