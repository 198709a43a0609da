"""Decimal text becomes integers, a whole column at a time and exactly: no float comes in between."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl

from crypto_bot.domain.market import IntArray

Mask = npt.NDArray[np.bool_]

_PLAIN = r"^([+-]?)0*([0-9]*)\.?([0-9]*)$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
_WITH_EXPONENT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]{1,3}$"
_LONGEST = 400
"""No number of a candle has more characters; a cell that has is not read."""


@dataclass(frozen=True, slots=True)
class Digits:
    """A column of numbers taken apart: sign, digits before the point, digits after it without trailing zeros.

    `unreadable` marks what is no number; such rows count as zero.
    """

    parts: pl.DataFrame
    unreadable: Mask

    @property
    def decimals(self) -> int:
        """Digits after the point of the finest number."""
        longest = self.parts["fraction"].str.len_bytes().max()
        return int(longest) if isinstance(longest, int) else 0

    @property
    def whole_digits(self) -> int:
        """Digits before the point of the largest number."""
        longest = self.parts["whole"].str.len_bytes().max()
        return int(longest) if isinstance(longest, int) else 0

    @property
    def negative(self) -> Mask:
        """Which numbers are below zero, however little."""
        digits = self.parts["whole"] + self.parts["fraction"]
        return ((self.parts["sign"] == "-") & (digits != "")).to_numpy()

    def approximate(self) -> npt.NDArray[np.float64]:
        """Return the numbers as floats, for comparisons that need no exactness."""
        text = "0" + self.parts["whole"] + "." + self.parts["fraction"]
        signed: npt.NDArray[np.float64] = text.cast(pl.Float64).to_numpy() * np.where(self.negative, -1.0, 1.0)
        return signed

    def scaled(self, decimals: int) -> "Scaled":
        """Return the numbers in steps of 10**-decimals, half a step rounded away from zero."""
        whole, fraction = self.parts["whole"], self.parts["fraction"]
        text = "0" + whole + fraction.str.pad_end(decimals, "0").str.head(decimals)
        magnitude = text.cast(pl.Int64, strict=False)
        cut = fraction.str.len_bytes().gt(decimals).to_numpy()
        upward = (fraction.str.slice(decimals, 1) >= "5").to_numpy()
        numbers = magnitude.fill_null(0).to_numpy() + upward
        negative = (self.parts["sign"] == "-").to_numpy()
        return Scaled(np.where(negative, -numbers, numbers), magnitude.is_null().to_numpy() | (numbers < 0), cut)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A column of integers; which of them do not fit into 64 bits, and which had to be rounded."""

    numbers: IntArray
    too_large: Mask
    rounded: Mask


def take_apart(column: pl.Series) -> Digits:
    """Take a column of text apart into the digits of its numbers."""
    text = column.str.strip_chars().fill_null("")
    if text.str.contains("[eE]").any():
        text = _without_exponents(text)
    readable = text.str.contains(_NUMBER) & (text.str.len_bytes() <= _LONGEST)
    plain = pl.select(pl.when(readable).then(text).otherwise(pl.lit("0")).alias("text"))
    groups = plain.select(pl.col("text").str.extract_groups(_PLAIN)).unnest("text")
    parts = groups.rename(dict(zip(groups.columns, ("sign", "whole", "fraction"), strict=True)))
    parts = parts.with_columns(pl.col("fraction").str.strip_chars_end("0"))
    return Digits(parts, ~readable.to_numpy())


def _without_exponents(text: pl.Series) -> pl.Series:
    """Write numbers like 7.3e-06 out; leave all others as they are."""
    found = text.str.contains(_WITH_EXPONENT) & (text.str.len_bytes() <= _LONGEST)
    rows = found.arg_true()
    plain = [f"{Decimal(value):f}" for value in text.gather(rows)]
    return text.scatter(rows, pl.Series(plain, dtype=pl.String)) if plain else text
