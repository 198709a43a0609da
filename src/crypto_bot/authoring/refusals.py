"""Why a part of Python is not possible inside a strategy, and what to write instead."""

import ast
import difflib
from collections.abc import Iterable, Mapping

_LOOP = "use a for loop"
_KEEP = "use memory(p) for what has to be kept"
_NOT_HERE = "is not possible inside a strategy"

SYNTAX: Mapping[type[ast.AST], str] = {
    ast.While: "a while loop can run for ever; use for ... in range(...)",
    ast.Try: f"try {_NOT_HERE}; test with if before you divide or index",
    ast.With: f"with {_NOT_HERE}; a strategy opens nothing",
    ast.Lambda: f"lambda {_NOT_HERE}; write a function with def",
    ast.JoinedStr: f"text {_NOT_HERE}; use a number",
    ast.Dict: f"a dictionary {_NOT_HERE}; {_KEEP}",
    ast.Set: f"a set {_NOT_HERE}; {_KEEP}",
    ast.List: f"a list {_NOT_HERE}; {_KEEP}, or a tuple of numbers",
    ast.ListComp: f"a list comprehension {_NOT_HERE}; {_LOOP}",
    ast.GeneratorExp: f"a generator {_NOT_HERE}; {_LOOP}",
    ast.DictComp: f"a comprehension {_NOT_HERE}; {_LOOP}",
    ast.SetComp: f"a comprehension {_NOT_HERE}; {_LOOP}",
    ast.Global: f"global {_NOT_HERE}; {_KEEP}",
    ast.Nonlocal: f"nonlocal {_NOT_HERE}; {_KEEP}",
    ast.ClassDef: "a class inside a function is not possible; only Params is one, at the top level",
    ast.FunctionDef: "a function inside a function is not possible; write it at the top level of the file",
    ast.AsyncFunctionDef: f"async {_NOT_HERE}; write def",
    ast.AsyncFor: f"async {_NOT_HERE}; write for",
    ast.AsyncWith: f"async {_NOT_HERE}",
    ast.Await: f"await {_NOT_HERE}",
    ast.Yield: f"yield {_NOT_HERE}; use return",
    ast.YieldFrom: f"yield {_NOT_HERE}; use return",
    ast.Raise: f"raise {_NOT_HERE}; use check(p) for wrong parameters",
    ast.Assert: "assert belongs into check(p)",
    ast.Delete: f"del {_NOT_HERE}; write 0 instead",
    ast.Match: f"match {_NOT_HERE}; use if",
    ast.Starred: f"* before a name {_NOT_HERE}; write the values one by one",
    ast.NamedExpr: f":= {_NOT_HERE}; write the assignment on a line of its own",
    ast.Slice: "a slice is not possible; use a for loop",
    ast.Import: "an import belongs to the top of the file",
    ast.ImportFrom: "an import belongs to the top of the file",
}

OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Pow: "** differs in the last digit between compiled and interpreted runs; multiply instead, or use sqrt",
    ast.MatMult: f"@ {_NOT_HERE}; add up the products in a for loop",
    ast.LShift: "<< overflows without a word when compiled; multiply instead",
    ast.RShift: ">> is not possible; divide with // instead",
    ast.Invert: "~ differs between compiled and interpreted runs; use not",
    ast.In: "in is not possible; compare with ==",
    ast.NotIn: "not in is not possible; compare with !=",
    ast.Is: "is is not possible; compare with ==",
    ast.IsNot: "is not is not possible; compare with !=",
}

NAMES: Mapping[str, str] = {
    "round": "round differs between compiled and interpreted runs; use int(...) or lots(k, quantity)",
    "print": f"print {_NOT_HERE}; run it interpreted in a debugger to look at values",
    "pow": "pow differs in the last digit between compiled and interpreted runs; multiply instead, or use sqrt",
    "sum": "sum adds up differently in different versions of Python; add in a for loop",
    "sorted": f"sorted {_NOT_HERE}; rank(m.score, k) gives the place of each symbol",
    "list": f"a list {_NOT_HERE}; {_KEEP}",
    "dict": f"a dictionary {_NOT_HERE}; {_KEEP}",
    "set": f"a set {_NOT_HERE}; {_KEEP}",
    "tuple": f"tuple(...) {_NOT_HERE}; write the numbers in brackets",
    "zip": f"zip {_NOT_HERE}; write for j in range(len(...)) and index both",
    "reversed": f"reversed {_NOT_HERE}; count down with range(n - 1, -1, -1)",
    "open": "files are not possible inside a strategy; the open of a bar is open_(k)",
    "math": "math is not possible; the root is sqrt(x)",
    "np": "numpy is not possible inside a strategy; use the words, and for loops",
    "numpy": "numpy is not possible inside a strategy; use the words, and for loops",
    "pd": "pandas is not possible inside a strategy; use the words, and for loops",
    "bollinger": "bollinger is not a word: write bollinger_upper(k), bollinger_lower(k) and, in the middle, sma(k, 20)",
    "donchian": "donchian is not a word: the channel is highest(k, 20) and lowest(k, 20)",
    "memory": "memory(p) runs once before the run; step reads what it declared as m.name[k]",
    "check": "check(p) runs once before the run and cannot be called here",
    "step": "step is called by the kernel at every bar and cannot be called here",
    "Params": "Params is the class of the parameters; read them as p.name",
}

HOST = frozenset(("__import__", "compile", "eval", "exec", "globals", "input", "open"))
"""What memory(p), check(p) and wake(p) may not call: they work out numbers, and nothing else."""


def of_syntax(node: ast.AST) -> str:
    """Return the reason against this kind of statement or expression."""
    name = type(node).__name__
    return SYNTAX.get(type(node)) or f"{name} {_NOT_HERE}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the question after the nearest of the known names; empty when none is near."""
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Return the names as they stand in a sentence."""
    return ", ".join(names)
