"""How money stands in a column: a 64-bit integer of atoms, never a float, never SQLite's NUMERIC."""

from decimal import Decimal
from typing import TypedDict

from sqlalchemy import BigInteger, Dialect, TypeDecorator

from crypto_bot.domain.units import ATOMS, parse_scaled, to_decimal


class ColumnNotes(TypedDict, total=False):
    """What `Column.info` tells those who print a column: a UTC time in ns, or an integer at another column's scale."""

    time: bool
    scale: str


TIME: ColumnNotes = {"time": True}
AT_PRICE_SCALE: ColumnNotes = {"scale": "price_scale"}
AT_QUANTITY_SCALE: ColumnNotes = {"scale": "quantity_scale"}


class Atoms(TypeDecorator[Decimal]):
    """An amount of an asset: Decimal in Python, atoms of 1e-8 in the database.

    Raises TypeError for a float, ValueError for what atoms cannot hold exactly.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Turn a Decimal into atoms."""
        if value is None:
            return None
        if not isinstance(value, Decimal | int):
            raise TypeError(f"money is a Decimal, not {type(value).__name__}")
        return parse_scaled(value, ATOMS)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Turn atoms into a Decimal."""
        return None if value is None else to_decimal(value, ATOMS)
