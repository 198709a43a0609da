"""The values of constants, parameters' defaults and arguments' defaults: numbers, and what is worked out from them."""

import ast
from collections.abc import Collection

from crypto_bot.authoring.kinds import Kind, kind_of_value
from crypto_bot.authoring.refusals import did_you_mean
from crypto_bot.authoring.source import Source
from crypto_bot.domain.units import INT64_MAX

FUNCTIONS = ("abs", "bool", "float", "int", "len", "max", "min", "range", "round", "sum", "tuple")
"""Functions of Python that the value of a constant may call: it is worked out once, before everything."""

_PARTS = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.Call, ast.Subscript)
_MARKS = (ast.operator, ast.unaryop, ast.expr_context)
_WHAT = "a number or a tuple of numbers, worked out from such"


def refuse_unknown(source: Source, value: ast.expr, known: Collection[str]) -> None:
    """Raise the Mistake when the value is more than arithmetic on numbers and known constants."""
    for node in ast.walk(value):
        match node:
            case ast.Constant(value=bool() | int() | float()):
                pass
            case ast.Constant():
                source.refuse(node, f"{ast.unparse(node)} is no number: a constant is {_WHAT}")
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
                pass
            case ast.Call():
                source.refuse(node, f"{ast.unparse(node)} cannot be worked out here: a constant is {_WHAT}")
            case ast.Name(id=name) if name not in known and name not in FUNCTIONS:
                near = did_you_mean(name, known)
                source.refuse(node, f"{name} is not known here: a constant is {_WHAT}{near}")
            case _ if not isinstance(node, (*_PARTS, *_MARKS)):
                source.refuse(value, f"{ast.unparse(value)} cannot be worked out here: a constant is {_WHAT}")


def kind_of_constant(source: Source, node: ast.AST, name: str, value: object) -> Kind:
    """Return the kind of a constant's value; Mistake when it is no number, or none that 64 bits hold."""
    kind = kind_of_value(value)
    if kind is None:
        source.refuse(node, f"{name} is {value!r}: a constant is {_WHAT}")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int) and not -INT64_MAX <= number <= INT64_MAX:
            source.refuse(node, f"{name} is {value!r}: a whole number must fit into 64 bits")
    return kind
