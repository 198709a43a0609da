"""What a drive tells plain classes and asks of them; compiled strategies among them are passed over."""

from collections.abc import Sequence

from crypto_bot.authoring.binding import Bound
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.compiled import Record, RecordArray
from crypto_bot.kernel.layout import BOOKED
from crypto_bot.plain.opening import PlainBound
from crypto_bot.plain.player import Player
from crypto_bot.plain.words import Filled


def players(bounds: Sequence[Bound]) -> dict[int, Player]:
    """Return the plain classes by the number of their strategy."""
    return {s: bound.player for s, bound in enumerate(bounds) if isinstance(bound, PlainBound)}


def meet(bounds: Sequence[Bound], instruments: Sequence[Instrument]) -> None:
    """Tell plain classes which instruments there are, and whether there are others."""
    met = players(bounds).values()
    for player in met:
        player.instruments = tuple(instruments)
        player.guard.is_alone = len(met) == 1


def tell_fill(bounds: Sequence[Bound], note: Record, *, fee: int) -> None:
    """Tell a plain class of a fill of its own; `note` is the kernel's note of it or the event in its register."""
    count = _instruments(bounds)
    if count == 0:
        return
    strategy, k = divmod(int(note["lane"]), count)
    bound = bounds[strategy]
    if isinstance(bound, PlainBound):
        instrument, asset = bound.player.instruments[k], int(note["fee_asset"])
        bound.player.hear(
            Filled(
                order_id=int(note["order_id"]),
                symbol=instrument.symbol,
                side="buy" if note["side"] > 0 else "sell",
                price=int(note["price"]) / instrument.price_scale,
                quantity=int(note["quantity"]) / instrument.quantity_scale,
                fee=fee / ATOMS,
                fee_asset=instrument.quote if asset == 0 else bound.player.instruments[asset - 1].base,
                time_ns=int(note["time_ns"]),
            )
        )


def tell_notes(bounds: Sequence[Bound], notes: RecordArray) -> None:
    """Tell plain classes of the fills among the kernel's notes."""
    for note in notes:
        if note["kind"] == BOOKED:
            tell_fill(bounds, note, fee=int(note["money"]))


def _instruments(bounds: Sequence[Bound]) -> int:
    return next((len(player.instruments) for player in players(bounds).values()), 0)
