"""The words: the table, the stubs and their signatures agree."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from crypto_bot import strategy
from crypto_bot.authoring.vocabulary import IMPORTABLE, WORDS, Role
from crypto_bot.domain.errors import UsageError
from crypto_bot.kernel.indicators import NEEDS


def test_the_table_has_every_word_and_nothing_else() -> None:
    stubs = {name for name in strategy.__all__ if name.islower() or name == "open_"}
    assert set(WORDS) == stubs
    assert stubs | {"BUY", "SELL", "Literal", "Memory", "NamedTuple"} == IMPORTABLE


def test_every_word_tells_what_to_do_outside_of_step() -> None:
    for word in WORDS.values():
        stub = getattr(strategy, word.name)
        with pytest.raises(UsageError, match=rf"{word.name}\(\) works inside step"):
            stub(*(0 for argument in word.arguments if not argument.named))


def test_every_word_of_a_role_has_the_arguments_of_its_role() -> None:
    for word in WORDS.values():
        names = [argument.name for argument in word.arguments if not argument.named]
        named = [argument.name for argument in word.arguments if argument.named]
        if word.role is Role.BAR:
            assert (names, named) == (["k", "ago"], ["timeframe"])
        elif word.role in (Role.WINDOW, Role.INDICATOR):
            assert names[0] == "k" and names[-1] == "ago"
            assert named == (
                ["source", "timeframe"] if word.takes("source") else [] if len(names) == 2 else ["timeframe"]
            )
        else:
            assert "ago" not in names and not named


def test_a_definition_is_made_of_words_and_of_its_own_arguments() -> None:
    for word in WORDS.values():
        known = {*WORDS, *(argument.name for argument in word.arguments)}
        for node in ast.walk(ast.parse(word.row.definition or "0", mode="eval")):
            assert not isinstance(node, ast.Name) or node.id in known, word.name
        assert word.role is Role.INDICATOR or not word.row.definition


def test_every_kept_word_has_a_function_of_the_kernel() -> None:
    kept = {word.name for word in WORDS.values() if word.role is Role.INDICATOR and not word.row.definition}
    with_source = {f"{word.name}_of" for word in WORDS.values() if word.takes("source")} & set(NEEDS)
    for name, needs in NEEDS.items():
        assert callable(getattr(import_module(f"crypto_bot.kernel.{needs.file}"), name))
    assert kept | with_source | {"latest"} == set(NEEDS)
    for word in WORDS.values():
        if word.takes("source") and not word.row.definition:
            assert NEEDS[f"{word.name}_of" if f"{word.name}_of" in NEEDS else word.name].takes_value, word.name


def test_the_compiled_words_take_what_the_stubs_take() -> None:
    """Arguments given by name reach the compiled word as they are written, so names and defaults must agree."""
    texts = [(Path(strategy.__file__).with_name("kernel") / f"{file}.py").read_text() for file in ("words", "guarding")]
    nodes = [node for text in texts for node in ast.parse(text).body]
    compiled = {node.name: node.args for node in nodes if isinstance(node, ast.FunctionDef)}
    for word in WORDS.values():
        if word.role is Role.INDICATOR or word.name == "symbols":  # the list of symbols is a field of the slice
            continue
        arguments = compiled[word.name]
        names = [argument.arg for argument in arguments.args]
        hidden = 0 if word.role is Role.PLAIN else 1
        assert names[hidden:] == [argument.name for argument in word.arguments if not argument.named], word.name
        stub = inspect.signature(getattr(strategy, word.name)).parameters.values()
        given = [ast.literal_eval(default) for default in arguments.defaults]
        wanted = [p.default for p in stub if p.default is not p.empty and p.kind is not p.KEYWORD_ONLY]
        assert given == wanted, word.name
