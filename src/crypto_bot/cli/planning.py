"""`strategies --plan NAME`: what a strategy would order, invest and earn, worked out before it trades."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypedDict

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import columns, show
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import ATOMS, PPM_PER_BPS, format_scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto_bot.backtesting.grid_plan import Cell, GridPlan
    from crypto_bot.backtesting.outcome import ParamValue
    from crypto_bot.config.settings import Settings
    from crypto_bot.domain.instrument import Instrument
    from crypto_bot.kernel.genesis import Costs


class CellJson(TypedDict):
    """One cell of the plan."""

    lower: str
    upper: str
    quantity: str
    rests: str
    profit: str
    gain: float


class PlanJson(TypedDict):
    """A plan: money and quantities as texts of decimals, shares as numbers."""

    name: str
    parameters: dict[str, ParamValue]
    price: str
    fee_maker_bps: float
    fee_taker_bps: float
    fee_asset: str
    lines: list[str]
    empty_line: int
    first_quantity: str
    first_cost: str
    resting_cost: str
    invested: str
    least_gain: float
    most_gain: float
    break_even: float
    cells: list[CellJson]
    warnings: list[str]


_OVERRIDES = {"fee_maker_bps": "execution.fee_maker_bps", "fee_taker_bps": "execution.fee_taker_bps"}


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a plan is made for."""
    add = parser.add_argument
    add("--plan", metavar="NAME", help="show what a strategy would order and earn, after fees")
    add("--param", metavar="K=V", action="append", default=[], help="with --plan: a parameter; repeatable")
    add("--price", metavar="X", help="with --plan: the price at the start; else the middle of the lines")
    add("--symbol", metavar="S", help="with --plan: round to the steps of this pair")
    add("--fee-maker-bps", metavar="X", help="with --plan: fee of resting orders in basis points")
    add("--fee-taker-bps", metavar="X", help="with --plan: fee of orders that take")


def show_plan(args: argparse.Namespace) -> int:
    """Print the plan of a strategy; a plan that cannot earn its fees is refused like everywhere."""
    from crypto_bot.backtesting.choosing import choose, name_of, simulation_of, texts_by_strategy
    from crypto_bot.backtesting.grid_plan import plan_grid
    from crypto_bot.backtesting.grid_shape import GridShape

    if args.plan != "grid":
        raise UsageError(f"there is a plan for grid, and none for {args.plan}; backtest it instead")
    overrides = {key: given for flag, key in _OVERRIDES.items() if (given := getattr(args, flag)) is not None}
    settings = settings_from(args, overrides)
    given = texts_by_strategy(args.param, [args.plan]).get(name_of(args.plan), {})
    costs = simulation_of(settings).costs
    chosen = choose([args.plan], {"grid": {**settings.strategy_parameters("grid"), **given}}, costs)[0]
    shape = GridShape.of(chosen.values())
    price = (shape.lower + shape.upper) / 2 if args.price is None else _price(args.price)
    plan = plan_grid(shape, price, costs, _instrument(settings, args.symbol))
    show(args, _document(plan, chosen.values(), costs), _lines(plan, costs))
    return 0


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = 0.0
    if not 0 < price < float("inf"):
        raise UsageError(f"--price {text!r} is not a price; write a number above 0, as in --price 28000")
    return price


def _instrument(settings: Settings, symbol: str | None) -> Instrument | None:
    """Return the pair as the archive knows it; None when none was named."""
    if symbol is None:
        return None
    from crypto_bot.data.archive import Archive

    archive = Archive(settings.data.archive)
    held = [each for each in archive.series() if each.symbol == symbol]
    if not held:
        raise UsageError(f"the archive has no candles of {symbol}, so its steps are not known; leave --symbol out")
    return archive.load(symbol, held[0].timeframe, exchange=held[0].exchange).instrument


def _text(amount: float) -> str:
    """Spell an amount with eight decimals, without zeros at its end."""
    text = format_scaled(round(amount * ATOMS), ATOMS)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _document(plan: GridPlan, params: Mapping[str, ParamValue], costs: Costs) -> PlanJson:
    """Return the plan as JSON."""
    return {
        "name": "grid",
        "parameters": dict(params),
        "price": _text(plan.price),
        "fee_maker_bps": costs.maker_ppm / PPM_PER_BPS,
        "fee_taker_bps": costs.taker_ppm / PPM_PER_BPS,
        "fee_asset": costs.fee_in,
        "lines": [_text(line) for line in plan.lines],
        "empty_line": plan.empty,
        "first_quantity": _text(plan.first_quantity),
        "first_cost": _text(plan.first_cost),
        "resting_cost": _text(plan.resting_cost),
        "invested": _text(plan.invested),
        "least_gain": plan.least_gain,
        "most_gain": plan.most_gain,
        "break_even": plan.break_even,
        "cells": [_cell(cell) for cell in plan.cells],
        "warnings": list(plan.remarks),
    }


def _cell(cell: Cell) -> CellJson:
    return {
        "lower": _text(cell.lower),
        "upper": _text(cell.upper),
        "quantity": _text(cell.quantity),
        "rests": cell.rests,
        "profit": _text(cell.profit),
        "gain": cell.gain,
    }


def _lines(plan: GridPlan, costs: Costs) -> list[str]:
    """Return the plan for people, the uppermost cell first, as on a chart."""
    fees = f"{costs.maker_ppm / PPM_PER_BPS:g} / {costs.taker_ppm / PPM_PER_BPS:g} bps"
    rows = [("buys at", "sells at", "quantity", "earns", "of its money", "rests now")]
    for cell in reversed(plan.cells):
        gain = f"{100 * cell.gain:.3f} %"
        rows.append(
            (_text(cell.lower), _text(cell.upper), _text(cell.quantity), f"{cell.profit:.8f}", gain, cell.rests)
        )
    return [
        f"grid at {_text(plan.price)}, fees {fees} in {'what is received' if costs.fee_in == 'received' else 'money'}",
        f"first purchase {_text(plan.first_quantity)} for {plan.first_cost:.2f}, resting buys {plan.resting_cost:.2f}, "
        f"together {plan.invested:.2f}",
        f"a cell earns {100 * plan.least_gain:.3f} to {100 * plan.most_gain:.3f} % of its money after fees; "
        f"lines have to lie {100 * plan.break_even:.4f} % apart to earn any",
        "",
        *columns(rows),
        *(f"! {remark}" for remark in plan.remarks),
    ]
