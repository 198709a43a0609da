"""The words: the table, the stubs and their signatures agree."""

import ast
import inspect
from pathlib import Path

import pytest

from crypto_bot import strategy
from crypto_bot.authoring.vocabulary import IMPORTABLE, WORDS, Role
from crypto_bot.domain.errors import UsageError


def test_the_table_has_every_word_and_nothing_else() -> None:
    stubs = {name for name in strategy.__all__ if name.islower() or name == "open_"}
    assert set(WORDS) == stubs
    assert stubs | {"BUY", "SELL", "Literal", "Memory", "NamedTuple"} == IMPORTABLE


def test_every_word_tells_what_to_do_outside_of_step() -> None:
    for word in WORDS.values():
        stub = getattr(strategy, word.name)
        with pytest.raises(UsageError, match=rf"{word.name}\(\) works inside step"):
            stub(*(0 for _ in word.arguments))


def test_every_word_of_a_role_has_the_arguments_of_its_role() -> None:
    for word in WORDS.values():
        names = [argument.name for argument in word.arguments]
        if word.role is Role.BAR:
            assert names == ["k", "ago"]
        elif word.role in (Role.WINDOW, Role.INDICATOR):
            assert names == ["k", "length", "ago"]
        else:
            assert "ago" not in names


def test_the_compiled_words_take_what_the_stubs_take() -> None:
    """Arguments given by name reach the compiled word as they are written, so names and defaults must agree."""
    path = Path(strategy.__file__).with_name("kernel") / "words.py"
    compiled = {node.name: node.args for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    for word in WORDS.values():
        if word.role is Role.INDICATOR:
            continue
        arguments = compiled[word.name]
        names = [argument.arg for argument in arguments.args]
        hidden = 0 if word.role is Role.PLAIN else 1
        assert names[hidden:] == [argument.name for argument in word.arguments], word.name
        stub = inspect.signature(getattr(strategy, word.name)).parameters.values()
        given = [ast.literal_eval(default) for default in arguments.defaults]
        assert given == [p.default for p in stub if p.default is not p.empty], word.name
