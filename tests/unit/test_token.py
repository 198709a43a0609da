"""The own token: made with 256 bits, or chosen so that nobody guesses it."""

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.api.token import FILE, VARIABLE, load_token
from crypto_bot.domain.errors import UsageError


@pytest.mark.parametrize(
    "token",
    [
        "short", "fifteen-letters", "a" * 40, "abababababababababab", "your-secret-key-here-1", "changeme-changeme-1",
        "change_this_in_production", "my-example-token-42x", "<put-the-token-here>",
        "password-of-the-bot-9",
        "1234567890123456789", "replace-me-replace-me", "YOUR_API_TOKEN_GOES_HERE", "xxxxxxxxxxxxxxxxxxx7q",
    ],
)  # fmt: skip
def test_what_could_be_guessed_is_refused(token: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too easy to guess|looks like a sample") as told:
        load_token(tmp_path, {VARIABLE: token})
    assert token not in str(told.value)
    (tmp_path / FILE).touch(0o600)
    (tmp_path / FILE).write_text(token)
    with pytest.raises(UsageError):
        load_token(tmp_path, {})


@given(st.integers(0, 2**32))
def test_a_made_token_is_never_taken_for_a_sample(seed: int) -> None:
    for token in (secrets.token_urlsafe(32), secrets.token_hex(16)):
        assert load_token(Path("nowhere"), {VARIABLE: token}) == token
