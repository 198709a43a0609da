"""What kind of thing a name or an expression is, as the compiler will see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Simple(Enum):
    """A kind without parts; the value is how it is called in a sentence."""

    FLAG = "True or False"
    WHOLE = "a whole number"
    DECIMAL = "a decimal number"
    FLAG_OR_WHOLE = "sometimes a whole number and sometimes True or False"
    FLAG_OR_DECIMAL = "sometimes a decimal number and sometimes True or False"
    RANGE = "a range"
    PARAMS = "the parameters"
    MEMORY = "the whole memory"
    NOTHING = "nothing"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Row:
    """A tuple whose items are known one by one."""

    items: tuple["Kind", ...]


@dataclass(frozen=True)
class Many:
    """A tuple of a parameter: numbers of one kind, of a length that is known at the start of a run."""

    item: Simple


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of several names; compiled it is the place of its name among them."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """One name of memory, for all symbols: one number for each (`count` 0), or so many."""

    item: Simple
    count: int


Kind: TypeAlias = Simple | Row | Many | Choice | Cells

NUMBERS = (Simple.FLAG, Simple.WHOLE, Simple.FLAG_OR_WHOLE, Simple.DECIMAL, Simple.FLAG_OR_DECIMAL)

FLAGS = (Simple.FLAG, Simple.FLAG_OR_WHOLE, Simple.FLAG_OR_DECIMAL)
"""What may be True or False: numpy adds such two as "or", the compiler as numbers."""

DECIMALS = (Simple.DECIMAL, Simple.FLAG_OR_DECIMAL)


def is_number(kind: Kind) -> bool:
    """Return whether this is one number, or may be."""
    return kind in NUMBERS or kind is Simple.UNKNOWN


def join(one: Kind, other: Kind) -> Kind | None:
    """Return the kind of a thing that is sometimes one and sometimes the other; None when no kind holds both."""
    if one == other:
        return one
    if Simple.UNKNOWN in (one, other):
        return Simple.UNKNOWN
    if one in NUMBERS and other in NUMBERS:
        if one in DECIMALS or other in DECIMALS:
            return Simple.FLAG_OR_DECIMAL if one in FLAGS or other in FLAGS else Simple.DECIMAL
        return Simple.FLAG_OR_WHOLE
    if isinstance(one, Row) and isinstance(other, Row) and len(one.items) == len(other.items):
        items = [join(a, b) for a, b in zip(one.items, other.items, strict=True)]
        known = tuple(item for item in items if item is not None)
        return Row(known) if len(known) == len(items) else None
    return None


def item_of(kind: Kind) -> Kind | None:
    """Return the kind of every item of a tuple or range; None when its items differ or it has none."""
    match kind:
        case Simple.RANGE:
            return Simple.WHOLE
        case Many(item):
            return item
        case Row(items) if items and all(item == items[0] for item in items):
            return items[0]
        case Simple.UNKNOWN:
            return Simple.UNKNOWN
    return None


def kind_of_value(value: object) -> Kind | None:
    """Return the kind of a number or a tuple of numbers that Python worked out; None for anything else."""
    match value:
        case bool():
            return Simple.FLAG
        case int():
            return Simple.WHOLE
        case float():
            return Simple.DECIMAL
        case tuple() if value:
            items = [kind_of_value(item) for item in value]
            numbers = tuple(item for item in items if item in NUMBERS)
            return Row(numbers) if len(numbers) == len(items) else None
    return None


def in_words(kind: Kind) -> str:
    """Say what the kind is, as it stands after "is" in a sentence."""
    match kind:
        case Simple():
            return kind.value
        case Row() | Many():
            return "a tuple"
        case Choice(names):
            return f"a name, {either(names)}"
        case Cells():
            return "the memory of all symbols"


def either(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence that leaves the choice: 'one', 'two' or 'three'."""
    shown = [repr(name) for name in names]
    return " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
