"""The words: the table, the stubs and their signatures agree."""

import pytest

from crypto_bot import strategy
from crypto_bot.authoring.vocabulary import IMPORTABLE, WORDS, Role
from crypto_bot.domain.errors import UsageError


def test_the_table_has_every_word_and_nothing_else() -> None:
    stubs = {name for name in strategy.__all__ if name.islower() or name == "open_"}
    assert set(WORDS) == stubs
    assert stubs | {"BUY", "SELL", "Memory", "NamedTuple"} == IMPORTABLE


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
