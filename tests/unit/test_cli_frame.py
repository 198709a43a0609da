"""The frame: what is answered at once, and what each way to end looks like from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crypto_bot.cli.flags import config_file, settings_from
from crypto_bot.cli.frame import CommandParser
from crypto_bot.cli.output import columns
from crypto_bot.cli.table import COMMANDS
from crypto_bot.domain.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]

ODD_COMMAND = '''
"""A command that ends in the way it is told to."""
import os, sys, time
from crypto_bot.cli.flags import settings_from
from crypto_bot.domain import errors

def add_arguments(parser):
    parser.add_argument("how")

def execute(args):
    if args.how == "settings":
        print(settings_from(args, {"risk.max_exposure_pct": "0.7"}).model_dump_json())
        return 0
    if args.how == "wait":
        print("ready", flush=True)
        time.sleep(30)
    if args.how == "flood":
        for _ in range(100_000):
            print("x" * 100)
    if args.how == "unexpected":
        raise KeyError(os.environ["EXCHANGE_API_SECRET"])
    if args.how == "leak":
        raise errors.ExchangeError("refused: signature=abcdef\\nkey " + os.environ["EXCHANGE_API_SECRET"])
    if args.how == "quit":
        import pdb

        pdb.Pdb(readrc=False).set_trace()
        print("this line is not reached")
    if args.how == "disk":
        open("/nonexistent/folder/file", "w")
    if args.how == "package":
        import a_package_that_nobody_has
    raise getattr(errors, args.how)("one thing went wrong")
'''


def run(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crypto_bot", *words], cwd=cwd, env={**os.environ, **env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def odd_words(folder: Path, *words: str) -> list[str]:
    (folder / "odd_command.py").write_text(ODD_COMMAND)
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r});"
        "from crypto_bot.cli.frame import run_command; from crypto_bot.cli.table import Command;"
        "sys.exit(run_command(sys.argv[1:], (Command('odd', 'odd_command', 'ends oddly'),)))"
    )
    return [sys.executable, "-c", code, "odd", *words]


def run_odd(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        odd_words(folder, *words), cwd=folder, env={**os.environ, **env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr.strip()


def test_help_lists_every_command_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from crypto_bot.__main__ import main; status = main(sys.argv[1:]);"
        "heavy = {'numpy', 'pydantic', 'polars', 'numba', 'sqlalchemy', 'asyncio', 'fastapi'} & set(sys.modules);"
        "sys.exit(f'imports {heavy}' if heavy else status)"
    )
    started = time.perf_counter()
    top = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, cwd=tmp_path)
    sys.stdout.write(f"--help answered in {time.perf_counter() - started:.3f} s\n")
    assert (top.returncode, top.stderr) == (0, "")
    for command in COMMANDS:
        assert command.words in top.stdout and command.summary in top.stdout
        own = subprocess.run(
            [sys.executable, "-c", code, *command.words.split(), "--help"], capture_output=True, text=True, cwd=tmp_path
        )
        assert (own.returncode, own.stderr) == (0, ""), command.words
        for flag in ("--config", "--data", "--state", "--set", "--json", "--log-level", "--version", "--help"):
            assert flag in own.stdout, (command.words, flag)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a command: "),
        (["bactest"], "'bactest' is not a command"),
        (["strategie"], "did you mean strategies?"),
        (["data"], "there are data import, "),
        (["data", "nonsense"], "'data nonsense' is not a command"),
        (["--json", "strategies"], "--json comes before the command"),
        (["data", "import"], "the following arguments are required: FILE"),
        (["preflight", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["preflight", "--conf", "x"], "unrecognized arguments: --conf x"),
        (["preflight", "--log-level", "LOUD"], "invalid choice: 'LOUD'"),
        (["preflight", "--set", "risk.max_drawdown_pct"], "write it as --set SECTION.KEY=VALUE"),
        (["preflight", "--set", "risk.max_drawdown_pct=15"], "[risk] max_drawdown_pct = '15'"),
        (["preflight", "--set", "risk.nothing=15"], "is not a key of [risk]"),
        (["preflight", "--config", "nowhere.ini"], "nowhere.ini cannot be read"),
        (["data", "download", "--symbol", "BTC/USDT"], "no exchange connection"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(tmp_path: Path, words: list[str], told: str) -> None:
    result = run(*words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert told in one_line(result)
    assert list(tmp_path.iterdir()) == []


def test_version_and_group_help(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.startswith("cryptotrader ")
    assert run("preflight", "--version", cwd=tmp_path).stdout.startswith("cryptotrader ")
    result = run("data", "--help", cwd=tmp_path)
    assert result.returncode == 0 and "data import" in result.stdout and "strategies" not in result.stdout


@pytest.mark.parametrize(
    ("how", "status"), [("RunFailed", 1), ("UsageError", 2), ("DataError", 3), ("ExchangeError", 4)]
)
def test_each_kind_of_failure_has_its_status(tmp_path: Path, how: str, status: int) -> None:
    result = run_odd(tmp_path, how)
    assert (result.returncode, result.stdout) == (status, "")
    assert one_line(result) == "error: one thing went wrong"


def test_the_unexpected_is_one_sentence_and_keeps_secrets(tmp_path: Path) -> None:
    secret = {"EXCHANGE_API_SECRET": "cAnArY-1234567"}
    result = run_odd(tmp_path, "unexpected", **secret)
    assert result.returncode == 1 and "cAnArY" not in result.stderr
    assert "internal error, KeyError" in one_line(result) and "--log-level DEBUG" in result.stderr
    told = run_odd(tmp_path, "unexpected", "--log-level", "debug", **secret)
    assert told.returncode == 1 and "Traceback" in told.stderr and "cAnArY" not in told.stderr
    leak = run_odd(tmp_path, "leak", **secret)
    assert leak.returncode == 4 and one_line(leak) == "error: refused: signature=*** key ***"


def test_disk_and_missing_packages_are_told_plainly(tmp_path: Path) -> None:
    result = run_odd(tmp_path, "disk")
    assert result.returncode == 1
    assert one_line(result) == "error: No such file or directory: /nonexistent/folder/file"
    assert "a_package_that_nobody_has" in one_line(run_odd(tmp_path, "package"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_with_130(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        odd_words(tmp_path, "wait"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(30) == 130
        assert process.stderr.read() == "error: stopped before it was done\n"


def test_leaving_the_debugger_is_an_interruption_and_no_fault(tmp_path: Path) -> None:
    ended = subprocess.run(
        odd_words(tmp_path, "quit"),
        cwd=tmp_path,
        input="quit\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (130, "error: stopped in the debugger\n")
    assert "not reached" not in ended.stdout.split("(Pdb)")[-1]


def test_a_reader_that_leaves_is_no_noise(tmp_path: Path) -> None:
    with subprocess.Popen(
        odd_words(tmp_path, "flood"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr.read() == ""


def test_a_reader_that_was_never_there_is_no_noise(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        odd_words(tmp_path, "settings"), cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (1, "")


def test_common_flags_reach_the_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_DRAWDOWN_PCT=0.3\nMAX_DAILY_LOSS_PCT=0.03\n")
    result = run_odd(
        tmp_path, "settings", "--data", "D", "--state", "S", "--log-level", "error", "--set", "data.archive=not-this",
        "--set", "trading.cash=7", "--set=trading.cash=8", "--set", "risk.max_exposure_pct=0.1",
        MAX_DRAWDOWN_PCT="0.2",
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    settings = json.loads(result.stdout)
    assert settings["data"]["archive"] == "D" and settings["general"]["state"] == "S"
    assert settings["logging"]["level"] == "ERROR" and settings["trading"]["cash"] == "8"
    assert settings["risk"]["max_exposure_pct"] == "0.7", "a command's own flag wins over --set"
    assert settings["risk"]["max_drawdown_pct"] == "0.2", "the environment wins over .env"
    assert settings["risk"]["max_daily_loss_pct"] == "0.03", ".env wins over the INI file"


def test_the_working_folder_decides_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parser = CommandParser()
    from crypto_bot.cli.flags import add_common_flags

    add_common_flags(parser)
    assert config_file(parser.parse_args([])) is None
    assert settings_from(parser.parse_args([])).trading.timeframe == "5m"
    (tmp_path / "config").mkdir()
    text = (ROOT / "src/crypto_bot/config/default.ini").read_text()
    (tmp_path / "config" / "config.ini").write_text(text.replace("timeframe = 5m", "timeframe = 4h"))
    assert settings_from(parser.parse_args([])).trading.timeframe == "4h"
    named = parser.parse_args(["--config", "elsewhere.ini"])
    with pytest.raises(UsageError, match=r"elsewhere\.ini cannot be read"):
        settings_from(named)


def test_columns() -> None:
    assert columns([("a", "bb", "c"), ("dddd", "e", "")]) == ["a     bb  c", "dddd  e"]
