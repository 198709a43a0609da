"""Lengths that are known at the start of a run: how they are recognised, and what they come to for given parameters."""

import ast
import copy
from collections.abc import Collection

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Frame, IndicatorUse, Module, Reach
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.authoring.spelling import LENGTH
from crypto_bot.authoring.vocabulary import WORDS
from crypto_bot.domain.timeframe import timeframe_ns

FUNCTIONS = {"abs": abs, "int": int, "len": len, "max": max, "min": min}
"""Functions of Python that a length may call."""

_PARTS = (ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.Call, ast.Subscript)
_MARKS = (ast.operator, ast.unaryop, ast.expr_context)


def is_known(node: ast.expr, constants: Collection[str], loops: Collection[str]) -> bool:
    """Return whether the expression is made of numbers, `p.something`, constants and variables of known loops."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if part.id not in constants and part.id not in loops and part.id != "p" and part.id not in FUNCTIONS:
                return False
        elif not isinstance(part, (*_PARTS, *_MARKS)):
            return False
    return True


def names_in(node: ast.expr) -> set[str]:
    """Return the names that the expression reads."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def spelled(node: ast.expr, variable: str | None) -> str:
    """Return the expression as text, with the loop's variable under its common name."""
    renamed = copy.deepcopy(node)
    for part in ast.walk(renamed):
        if isinstance(part, ast.Name) and part.id == variable:
            part.id = LENGTH
    return ast.unparse(renamed)


def lengths(module: Module, use: IndicatorUse | Reach, params: ParameterSet) -> tuple[int, ...]:
    """Return the lengths of a use for these parameters: one, or one for each turn of its loop; none without a length.

    Raises Mistake for a length that is no whole number, or too small to mean something.
    """
    if use.length is None:
        return ()
    least = WORDS[use.word].row.least
    what = f"the length of {use.word}"
    return tuple(_whole(module, use, what, found, least) for found in _worked_out(module, use, use.length, params))


def bars_needed(module: Module, reach: Reach, params: ParameterSet) -> tuple[int, ...]:
    """Return how many bars, the newest included, one look back needs: one number, or one for each turn of its loop.

    Raises Mistake when it would look into the future.
    """
    back = [_whole(module, reach, "ago", found, 0) for found in _worked_out(module, reach, reach.ago, params)]
    more = WORDS[reach.word].row.more
    windows = [length + more for length in lengths(module, reach, params)] or [1] * len(back)
    return tuple(window + ago for window, ago in zip(windows, back, strict=True))


def turn_count(module: Module, use: IndicatorUse, params: ParameterSet) -> int:
    """Return how many indicators a use stands for: one, or one for each turn of its loop."""
    return len(_worked_out(module, use, "0", params))


def period_ns(module: Module, frame: Frame, params: ParameterSet) -> int:
    """Return the length of a second timeframe's bars."""
    named = _worked_out(module, frame, frame.timeframe, params)[0]
    return timeframe_ns(str(named))


def _whole(module: Module, use: IndicatorUse | Reach, what: str, found: object, least: int) -> int:
    if not isinstance(found, int) or found < least:
        text = f"{what} is {found}: it must be a whole number, {least} or more"
        raise Mistake(module.path, use.line, text)
    return int(found)


def _worked_out(
    module: Module, use: IndicatorUse | Reach | Frame, expression: str, params: ParameterSet
) -> tuple[object, ...]:
    """Work out an expression that `is_known` accepted, once for each turn of the loop."""
    known = {name: found for name, found in module.namespace.items() if name.isupper()} | {"p": params} | FUNCTIONS

    def worked_out(text: str, more: dict[str, object]) -> object:
        try:
            # Nothing but arithmetic on numbers and parameters reaches this line: see is_known.
            return eval(text, {"__builtins__": {}}, known | more)  # noqa: S307  # nosec B307
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Mistake(module.path, use.line, f"{text} cannot be worked out: {error}") from None

    if isinstance(use, Frame) or use.loop is None:
        return (worked_out(expression, {}),)
    return tuple(worked_out(expression, {LENGTH: turn}) for turn in turns(worked_out(use.loop.over, {})))


def turns(over: object) -> tuple[object, ...]:
    """Return the values that a loop's variable takes."""
    return over if isinstance(over, tuple) else ()
