"""A secret of every kind is given to a running bot, every path is driven, and nothing that comes out holds one."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from crypto_bot.api.access import ACCESS
from crypto_bot.cli.table import COMMANDS
from tests.bot_process import DAY, Bot, processes_of, query, wait_for
from tests.commands import End, run_all

pytestmark = pytest.mark.slow

CANARIES = {
    "EXCHANGE_API_KEY": "Kanarie1KeyQ7w8Zu",
    "EXCHANGE_API_SECRET": "Kanarie2SecretQ7w8Zu",
    "TELEGRAM_BOT_TOKEN": "110201543:Kanarie3TelegramQ7w8Zu",
    "TELEGRAM_CHAT_ID": "Kanarie4ChatQ7w8Zu",
    "DISCORD_WEBHOOK_URL": "https://discord.com/api/webhooks/123456789/Kanarie5DiscordQ7w8Zu",
    "API_TOKEN": "Kanarie6OwnTokenQ7w8Zu",
    "MY_OWN_EXCHANGE_KEY": "Kanarie7UnderAnotherNameQ7w8Zu",
}
SONG = re.compile(rb"Kanarie\d")
OWN_ADDRESS = re.compile(r"dashboard: http://127\.0\.0\.1:\d+/#token=Kanarie6\w+")
"""The one line that tells the own token: the page's address, said to whoever starts the bot."""
LIVING: list[tuple[str, ...]] = [
    ("status",),
    ("halt", "--reason", "a look"),
    ("resume", "--reason", "a look"),
    ("flatten", "--reason", "a look"),
]
"""What is asked of the bot while it runs."""
ENDED: list[tuple[str, ...]] = [
    ("replay", "last"),
    ("db", "check"),
    ("db", "export"),
    ("db", "upgrade"),
    ("preflight", "--json"),
    ("why", "1"),
    ("strategies",),
    ("check", "nothing.py"),
    ("backtest", "--symbol", "NONE/USDT"),
    ("data", "import", "nothing.csv"),
    ("data", "download"),
    ("data", "audit", "nothing.csv"),
    ("data", "list"),
    ("token", "add", "phone", "--role", "read"),
    ("token", "list"),
    ("token", "revoke", "phone"),
    ("run", "--mode", "live"),
    ("run", "--mode", "live", "--set", "trading.paper_trading=true", "--set", "exchange.environment=testnet"),
    ("run", "--set", "database.url=mysql://u:Kanarie8Q7w8Zu@h/x"),
    ("run", "--set", "database.url=postgresql://u:Kanarie8Q7w8Zu@127.0.0.1:1/x"),
    ("db", "upgrade", "--set", "database.url=postgresql://u:Kanarie8Q7w8Zu@127.0.0.1:1/x"),
    ("run", "--set", "secrets.api_token=Kanarie9Q7w8Zu."),
]
"""What is asked for when it has ended, right and wrong."""


@dataclass
class Watched:
    """A bot that has been asked everything there is, and what was seen of it."""

    folder: Path
    web_environment: bytes
    arguments: bytes
    standing: dict[str, str]
    answers: list[bytes]
    end: End
    commands: dict[tuple[str, ...], End]


def ask_everything(base: str) -> list[bytes]:
    """Drive every route, right and wrong, with right and wrong tokens; return all that is answered."""
    answers = []
    token = CANARIES["API_TOKEN"]
    questions = ["", "?limit=0", "?limit=3&cursor=1", "?symbol=NONE/X", "?since=x", "?timeframe=5m", f"?token={token}"]
    with httpx.Client(base_url=base, timeout=20) as client:
        for method, template in ACCESS:
            path = template.format(order_id=1, key="none", name="grid")
            for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {token}x"}, {}):
                bodies = [None, b'{"reason": "a look"}', b"{", b"[" * 100] if method == "POST" else [None]
                for content in bodies:
                    for question in questions if method == "GET" and path != "/api/stream" else questions[:1]:
                        kind = {"Content-Type": "application/json"} if content else {}
                        with client.stream(method, path + question, content=content, headers=headers | kind) as answer:
                            first = next(answer.iter_bytes(), b"") if path == "/api/stream" else answer.read()
                            answers.append(repr(answer.headers.raw).encode() + first)
    return answers


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("canaries")
    os.umask(0o022)
    words = (
        "--speed",
        "3000",
        "--api-port",
        "0",
        "--log-level",
        "DEBUG",
        "--set",
        "secrets.exchange_api_key=MY_OWN_EXCHANGE_KEY",
    )
    bot = Bot.start(folder, *DAY, *words, most_bytes=None, **CANARIES)
    try:
        assert bot.until_rows(5), bot.end().err
        (web,) = [pid for pid in processes_of(bot.process.pid) if b"crypto_bot.api.serve" in file_of(pid, "cmdline")]
        base = address(bot, web)
        environment = file_of(web, "environ")
        arguments = file_of(web, "cmdline") + file_of(bot.process.pid, "cmdline")
        standing = {name: standing_of(pid) for name, pid in (("engine", bot.process.pid), ("web", web))}
        answers = ask_everything(base)
        living = commanded(folder, LIVING)
        os.kill(web, signal.SIGKILL)
        wait_for(lambda: [pid for pid in processes_of(bot.process.pid) if pid != web] != [])
        end = bot.send(signal.SIGTERM)
    finally:
        if bot.process.poll() is None:
            bot.kill()
    after = commanded(folder, ENDED)
    yield Watched(folder, environment, arguments, standing, answers, end, {**living, **after})


def commanded(folder: Path, lines: list[tuple[str, ...]]) -> dict[tuple[str, ...], End]:
    """Run commands with every secret in the environment, telling all they can."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CANARIES.items():
            patch.setenv(name, value)
        ends = run_all([(*line, "--log-level", "DEBUG") for line in lines], folder)
    return dict(zip(lines, ends, strict=True))


def file_of(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def standing_of(pid: int) -> str:
    """Return what new files of a process may be, and how large its core dump."""
    told = file_of(pid, "status").decode() + file_of(pid, "limits").decode()
    umask, core = re.search(r"Umask:\s*(\d+)", told), re.search(r"Max core file size\s+(\S+)\s+(\S+)", told)
    assert umask is not None and core is not None
    return f"umask {umask[1]}, core {core[1]} {core[2]}"


def address(bot: Bot, web: int) -> str:
    """Find the port that the bot listens on by the sockets it holds."""
    found: list[str] = []

    def listening() -> bool:
        mine = {str(link.readlink()) for link in Path(f"/proc/{web}/fd").iterdir() if link.is_symlink()}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
                found.append(f"http://127.0.0.1:{int(fields[1].partition(':')[2], 16)}")
        return bool(found)

    wait_for(listening)
    assert bot.process.poll() is None
    return found[0]


def test_the_paths_were_driven(watched: Watched) -> None:
    text = b"\n".join(watched.answers)
    assert len(watched.answers) > 100 and b'"run_id"' in text and b"Unauthorized" in text
    logs = watched.folder / "State" / "logs"
    levels = {json.loads(line)["level"] for file in logs.glob("*.jsonl") for line in file.read_text().splitlines()}
    assert "DEBUG" in levels and (logs / "web.jsonl").is_file(), "such a log tells nothing"


def test_what_was_commanded_is_in_the_audit_log(watched: Watched) -> None:
    """Each command that was carried out is there with who, what and from where; what was refused is not."""
    told = query(watched.folder, "SELECT actor, origin, action, result FROM audit_log ORDER BY id")
    assert ("local", "127.0.0.1", "emergency_stop", "done") in told and len(told) > 3
    tokens = [action for _, _, action, _ in told if str(action).startswith("token")]
    assert tokens == ["token add", "token revoke"]
    stored = query(watched.folder, "SELECT count(*) FROM journal WHERE kind = 'COMMAND'")
    assert stored == [(len(told) - 2,)] and watched.commands["db", "check"].status == 0


def test_no_answer_holds_a_secret(watched: Watched) -> None:
    assert not [answer for answer in watched.answers if SONG.search(answer)]


def test_no_file_holds_a_secret(watched: Watched) -> None:
    holding = [file.name for file in watched.folder.rglob("*") if file.is_file() and SONG.search(file.read_bytes())]
    assert holding == []


def test_nothing_said_holds_a_secret_but_the_address_of_the_page(watched: Watched) -> None:
    lines = {words: singing(end) for words, end in watched.commands.items()}
    assert len(singing(watched.end)) == 1
    for words, told in {**lines, ("the run itself",): singing(watched.end)}.items():
        assert not [line for line in told if not OWN_ADDRESS.fullmatch(line)], words
        assert not told or "run" in words[0], words


def singing(end: End) -> list[str]:
    """Return the lines of what was said that hold a secret."""
    return [line for line in (end.out + end.err).splitlines() if SONG.search(line.encode())]


def test_every_command_was_driven(watched: Watched) -> None:
    """A new command is driven too, or this fails; `warm` compiles and reads no secret."""
    driven = {" ".join(words[:length]) for words in watched.commands for length in (1, 2)}
    assert {command.words for command in COMMANDS} - {"warm"} <= driven
    assert [watched.commands[words].status for words in LIVING] == [0] * len(LIVING)
    refused = [end for words, end in watched.commands.items() if "Kanarie" in str(words) or "live" in words]
    assert len(refused) == 6 and all(end.status in (1, 2, 4) for end in refused)


def test_the_password_of_a_database_out_of_reach_is_not_told(tmp_path: Path) -> None:
    url, own = "postgresql://u:Kanarie8Q7w8Zu@127.0.0.1:1/x", CANARIES["API_TOKEN"]
    words = ["--state", str(tmp_path / "State"), "--port", "0", "--log-level", "DEBUG"]
    with subprocess.Popen(
        [sys.executable, "-m", "crypto_bot.api.serve", *words],
        env={**os.environ, "DATABASE_URL": url, "API_TOKEN": own}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        base = json.loads(child.stdout.readline())["url"]
        answers = ask_everything(base)
        child.terminate()
        out, err = child.communicate(timeout=20)
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert b"127.0.0.1:1" in b"".join(answers) + b"".join(files) + err, "the failure was not met"
    assert not [text for text in (*answers, *files, out, err) if SONG.search(text)]


def test_the_list_of_processes_shows_no_secret(watched: Watched) -> None:
    assert b"crypto_bot" in watched.arguments and not SONG.search(watched.arguments)


def test_the_web_process_is_given_its_own_token_and_no_key(watched: Watched) -> None:
    """Whatever the variable of a key is called, the process that talks to the network never has it."""
    names = [entry.partition(b"=")[0] for entry in watched.web_environment.split(b"\0") if SONG.search(entry)]
    assert names == [b"API_TOKEN"]


def test_a_crash_writes_no_memory_down_and_a_new_file_is_private(watched: Watched) -> None:
    assert watched.standing == dict.fromkeys(("engine", "web"), "umask 0077, core 0 0")


def test_everything_a_run_leaves_is_private(watched: Watched) -> None:
    state = watched.folder / "State"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [state, *state.rglob("*")]}
    wrong = {str(path): oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)}
    assert len(modes) > 4 and wrong == {}
