"""Granted tokens: only digests are kept, and what has ended opens nothing."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from crypto_bot.api.grants import DAY_S, FILE, TokenBook, digest_of
from crypto_bot.domain.errors import CryptoBotError, DataError, UsageError
from tests.commands import run_all


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_seen_once_and_kept_as_its_digest(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "State")
    token, grant = book.add("phone", "trade")
    assert len(token) == len("ctb_") + 43 and grant.digest == sha256(token.encode()).hexdigest() == digest_of(token)
    text = (tmp_path / "State" / FILE).read_text()
    assert token not in text and token[4:] not in text and grant.digest in text
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "State").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "State").stat().st_mode) == 0o700
    assert TokenBook(tmp_path / "State").find(token) == grant
    assert all(book.find(wrong) is None for wrong in ("", token[:-1], token + "x", grant.digest, "phone"))


def test_a_token_ends_by_itself_or_at_once(tmp_path: Path) -> None:
    clock = Clock()
    book = TokenBook(tmp_path, clock)
    other = TokenBook(tmp_path, clock)
    token, grant = book.add("phone", "read", days=2)
    assert grant.expires_s == int(clock.now) + 2 * DAY_S
    found = other.find(token)
    assert found is not None and found.holds(clock.now)
    clock.now += 2 * DAY_S
    assert not found.holds(clock.now)
    again, _ = book.add("phone", "admin")
    assert again != token
    book.revoke("phone")
    revoked = other.find(again)
    assert revoked is not None and not revoked.holds(clock.now), "the other process must see it at once"
    with pytest.raises(UsageError, match="no living token named phone"):
        book.revoke("phone")
    assert [each.name for each in book.grants()] == ["phone", "phone"]


@pytest.mark.parametrize(
    ("name", "role", "days", "words"),
    [
        ("", "read", 1, "cannot name a token"),
        ("local", "read", 1, "cannot name a token"),
        ("a b", "read", 1, "cannot name a token"),
        ("../x", "read", 1, "cannot name a token"),
        ("<script>", "read", 1, "cannot name a token"),
        ("x" * 33, "read", 1, "cannot name a token"),
        ("x", "root", 1, "not a role"),
        ("x", "open", 1, "not a role"),
        ("x", "read", 0, "1 to 366 days"),
        ("x", "read", 367, "1 to 366 days"),
        ("taken", "read", 1, "there is a token named taken"),
    ],
)
def test_what_is_not_allowed(tmp_path: Path, name: str, role: str, days: int, words: str) -> None:
    book = TokenBook(tmp_path)
    book.add("taken", "read")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match=words):
        book.add(name, role, days)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"tokens": [{}]}', '{"tokens": 1}', "[" * 100_000,
        '{"tokens": [{"name": "a", "role": "root", "digest": "%s", "made_s": 1, "expires_s": 9}]}' % ("0" * 64),
        '{"tokens": [{"name": "a", "role": "read", "digest": "", "made_s": 1, "expires_s": 9}]}',
        '{"tokens": [{"name": "a", "role": "read", "digest": "%s", "made_s": 1, "expires_s": 9e99}]}' % ("0" * 64),
    ],
)  # fmt: skip
def test_a_damaged_file_opens_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).touch(0o600)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match="not a list of tokens"):
        TokenBook(tmp_path).find("x")


def test_a_file_that_others_can_read_opens_nothing(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    token, _ = book.add("phone", "read")
    (tmp_path / FILE).chmod(0o640)
    os.utime(tmp_path / FILE)
    with pytest.raises(UsageError, match="can be read by others"):
        TokenBook(tmp_path).find(token)


def test_two_who_add_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: TokenBook(tmp_path).add(f"n{number}", "read"), range(24)))
    assert {each.name for each in TokenBook(tmp_path).grants()} == {f"n{number}" for number in range(24)}
    with pytest.raises(CryptoBotError):
        TokenBook(tmp_path).add("n3", "read")


def test_the_commands(tmp_path: Path) -> None:
    made, taken, listed, revoked, gone, after, audit, wrong = run_all(
        [
            ["token", "add", "phone", "--role", "trade", "--json"],
            ["token", "add", "phone"],
            ["token", "list"],
            ["token", "revoke", "phone"],
            ["token", "revoke", "phone"],
            ["token", "list", "--json"],
            ["db", "check", "--json"],
            ["token", "add", "x", "--role", "root"],
        ],
        tmp_path,
    )
    token = json.loads(made.out)["token"]
    assert [end.status for end in (made, taken, listed, revoked, gone, after, audit, wrong)] == [0, 2, 0, 0, 2, 0, 0, 2]
    assert (
        token.startswith("ctb_") and "holds" in listed.out and json.loads(after.out)["tokens"][0]["state"] == "revoked"
    )
    assert json.loads(audit.out)["audit"] == 2, "one line for what was made, one for what was ended, none for refusals"
    assert all(token not in end.out + end.err for end in (taken, listed, revoked, gone, after, audit, wrong))
    stored = b"".join(file.read_bytes() for file in (tmp_path / "State").iterdir())
    assert token.encode() not in stored
