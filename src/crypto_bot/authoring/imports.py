"""What a strategy may import: the words, and what types are written with."""

import ast
from collections.abc import Mapping

from crypto_bot.authoring.refusals import did_you_mean
from crypto_bot.authoring.source import Source
from crypto_bot.authoring.vocabulary import IMPORTABLE

VOCABULARY = "crypto_bot.strategy"

_POSSIBLE: Mapping[str, frozenset[str]] = {
    VOCABULARY: IMPORTABLE | {"*"},
    "typing": frozenset(("Any", "Final", "Literal", "NamedTuple")),
    "__future__": frozenset(("annotations",)),
}


def imported(source: Source, node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the names that the line brings in; Mistake for any other library, which is then never run."""
    module = node.module if isinstance(node, ast.ImportFrom) and node.level == 0 else None
    if module is None or module not in _POSSIBLE:
        text = (
            f"a strategy imports from {VOCABULARY} and typing only, as in from {VOCABULARY} import close; "
            "a strategy that needs other libraries is written as a plain Python class"
        )
        source.refuse(node, text)
    names = {alias.name for alias in node.names}
    for alias in node.names:
        if alias.asname is not None:
            source.refuse(node, f"import {alias.name} under its own name, without as")
        if alias.name not in _POSSIBLE[module]:
            near = did_you_mean(alias.name, _POSSIBLE[module])
            source.refuse(node, f"there is no {alias.name} in {module} that a strategy can use{near}")
    return names | set(IMPORTABLE) if "*" in names else names
