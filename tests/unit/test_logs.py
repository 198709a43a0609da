"""The log: lines that are JSON, a stderr for people, and secrets in neither."""

import json
import logging
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.config.logs import FILE_BYTES_MAX, HIDDEN, Redactor, configure_logging
from crypto_bot.domain.errors import RunFailed

SECRET = 'se"cret/with\\odd&chars'


@pytest.fixture(autouse=True)
def root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_are_json_with_what_was_passed(tmp_path: Path) -> None:
    path = configure_logging("INFO", tmp_path / "logs", name="engine")
    logging.getLogger("feed").info("bar %d\nread", 7, extra={"symbol": "BTC/USDT", "sequence": 3})
    logging.getLogger("feed").debug("never seen")
    (line,) = lines_of(path)
    assert {name: line[name] for name in ("level", "logger", "message", "symbol", "sequence")} == {
        "level": "INFO", "logger": "feed", "message": "bar 7\nread", "symbol": "BTC/USDT", "sequence": 3,
    }  # fmt: skip
    assert str(line["time"]).endswith("Z")
    assert path == tmp_path / "logs" / "engine.jsonl"


def test_files_are_private(tmp_path: Path) -> None:
    path = configure_logging("INFO", tmp_path / "logs")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_stderr_shows_warnings_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG", tmp_path, secrets=[SECRET])
    logging.getLogger("venue").info("quiet")
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("venue").exception("no answer for %s", SECRET)
    assert capsys.readouterr().err == f"error: no answer for {HIDDEN}\n"


def test_secrets_are_hidden_wherever_they_are_put(tmp_path: Path) -> None:
    path = configure_logging("DEBUG", tmp_path, secrets=[SECRET])
    log = logging.getLogger("x")
    log.warning("plain %s and in a url ?k=%s", SECRET, quote(SECRET, safe=""))
    log.warning("extra", extra={"key": SECRET, "nested": {"deep": [SECRET]}})
    try:
        raise RuntimeError(f"token {SECRET}")
    except RuntimeError:
        log.exception("failed")
    text = path.read_text()
    assert "odd" not in text and text.count(HIDDEN) >= 5
    assert len(lines_of(path)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v3/order?symbol=BTCUSDT&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage",
        "Authorization: Bearer c8db56825ae71d6d79447849",
        '{"apiKey": "c8db56825ae71d6d79447849", "x": 1}',
        "postgresql+asyncpg://bot:c8db56825ae71d@db:5432/x",
        "{'apiKey': 'c8db56825ae71d6d79447849'}",
        "{'X-MBX-APIKEY': 'c8db56825ae71d6d79447849', 'a': 1}",
        "[(b'X-BAPI-API-KEY', b'c8db56825ae71d6d79447849')]",
        "x-bapi-sign: c8db56825ae71d6d79447849",
        "Authorization: Basic c8db56825ae71d6d79447849",
        "cookie: c8db56825ae71d6d79447849",
        "https://discord.com/api/webhooks/123456789012345678/c8db56825ae71d6d79447849",
        "the token ctb_c8db56825ae71d6d79447849",
        "http://127.0.0.1:8080/#token=c8db56825ae71d6d79447849",
    ],
)
def test_what_looks_like_a_secret_on_the_wire_is_hidden(text: str) -> None:
    clean = Redactor([]).clean(text)
    assert HIDDEN in clean and "c8db" not in clean and "AAHd" not in clean


@pytest.mark.parametrize(
    "text", ["[exchange] environment = practice", "the secret: a key is missing", "API token of 12 letters", "bot: 12"]
)
def test_prose_stays(text: str) -> None:
    assert Redactor(["practice", "12"]).clean(text) == text


@given(st.text(min_size=6, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_known_secret_survives(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    for spelled in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        cleaned = redactor.clean(before + spelled + after)
        assert spelled not in cleaned or spelled in HIDDEN + before + after


def test_a_full_file_makes_room_and_keeps_its_ending(tmp_path: Path) -> None:
    (tmp_path / "web.jsonl").write_bytes(b"x" * FILE_BYTES_MAX)
    path = configure_logging("INFO", tmp_path, name="web")
    logging.getLogger("x").info("first of a new file")
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["web.1.jsonl", "web.jsonl"]
    assert lines_of(path)[0]["message"] == "first of a new file"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFailed, match=r"The log .*engine\.jsonl cannot be written"):
        configure_logging("INFO", tmp_path / "file" / "logs")


def test_needs_no_package(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from crypto_bot.config.logs import configure_logging;"
        f"configure_logging('INFO', pathlib.Path({str(tmp_path)!r}));"
        "assert not {'pydantic', 'numpy', 'structlog'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
