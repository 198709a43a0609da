"""The shapes of what is ordered, and of what became of it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", description="Why.")]
Why = Annotated[Reason, Field(min_length=1)]
Name = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]

_LARGEST = 2**53
_Whole = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
_Number = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False)]
ParameterName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ParameterValue = bool | _Whole | _Number | Name | Annotated[list[_Whole | _Number], Field(max_length=100)]


class Ordered(BaseModel):
    """What every order has in common: nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Plain(Ordered):
    """An order that needs nothing."""

    reason: Reason = ""


class Reasoned(Ordered):
    """An order that needs a reason."""

    reason: Why


class Cancel(Ordered):
    """Cancel one order, by the number that `/api/orders` tells."""

    order_id: Annotated[str, Field(pattern="^[0-9]{1,18}$")]
    reason: Reason = ""


class CancelAll(Ordered):
    """Cancel all orders, or those of one symbol or one strategy."""

    symbol: Name | None = None
    strategy: Name | None = None
    reason: Reason = ""


class EmergencyStop(Ordered):
    """Halt and cancel every order but those that guard positions; with `flatten` sell everything at market."""

    reason: Reason = ""
    flatten: bool = False


class Parameters(Ordered):
    """New values for some parameters of a strategy; the others stay."""

    parameters: Annotated[
        dict[ParameterName, ParameterValue],
        Field(min_length=1, max_length=64, json_schema_extra={"additionalProperties": False}),
    ]
    reason: Reason = ""


class Done(BaseModel):
    """A command as it was carried out.

    `sequence` is its row in the journal of the run, `time` the time of the run, `cancelled` how many orders were taken
    back at once. It is found again under its key at `/api/commands/{key}`.
    """

    key: str
    result: str
    detail: str
    run_id: str | None
    sequence: int | None
    time: str | None
    command: str
    by: str
    origin: str
    reason: str
    cancelled: int
    halted: bool
