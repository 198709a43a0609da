"""Secrets: read where they are needed, from where [secrets] says, and never shown; and the file they lie in."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from crypto_bot.config.secret_sources import known_variables
from crypto_bot.config.settings import PACKAGED_DEFAULTS
from crypto_bot.config.sources import read_env_file, read_ini
from crypto_bot.domain.errors import UsageError
from tests.settings_layers import load, refusal

ROOT = Path(__file__).resolve().parents[2]
CANARY = "cAnArY-5f3d9e17"
REFUSING = ("general.mode", "trading.cash", "trading.symbols", "risk.max_exposure_pct", "data.start", "api.port")
KEYS = {"EXCHANGE_API_KEY": CANARY + "k", "EXCHANGE_API_SECRET": CANARY + "s"}


def test_exchange_keys_are_loaded_only_where_a_mode_needs_them() -> None:
    live = {"general.mode": "live"}
    assert load(env=KEYS).secrets.exchange_api_key is None
    assert load(env=KEYS, overrides={"general.mode": "backtest"}).secrets.exchange_api_secret is None
    assert load(env=KEYS, overrides=live).secrets.exchange_api_key == SecretStr(CANARY + "k")
    assert load(env=KEYS, exchange_keys=True).secrets.exchange_api_secret == SecretStr(CANARY + "s")
    dry = {**KEYS, "TRADING_DRY_RUN": "true"}
    assert load(env=dry, overrides=live, exchange_keys=True).secrets.exchange_api_key is None


def test_secrets_never_show(tmp_path: Path) -> None:
    env = {
        **KEYS, "TELEGRAM_BOT_TOKEN": CANARY, "TELEGRAM_CHAT_ID": CANARY, "DISCORD_WEBHOOK_URL": CANARY,
        "API_TOKEN": CANARY, "DATABASE_URL": f"sqlite:///{CANARY}.db",
    }  # fmt: skip
    settings = load(env=env, exchange_keys=True)
    told = [repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()]
    told += [refusal(env=env, overrides={name: "!"}) for name in REFUSING]
    told += [refusal(overrides={"database.url": f"mysql://me:{CANARY}@db/x"})]
    told += [refusal(overrides={"database.url": CANARY}), refusal(env={"DATABASE_URL": CANARY})]
    told += [refusal(overrides={"exchange.url": f"http://me:{CANARY}@127.0.0.1"})]
    told += [refusal(overrides={"secrets.api_token": CANARY}), refusal(overrides={"general.api_key": CANARY})]
    told += [refusal(overrides={"riks.api_key": CANARY})]
    broken = tmp_path / "broken.ini"
    for line in (f"[general]\n{CANARY}\n", f"token = {CANARY}\n", f"[general]\napi_key = {CANARY}\n"):
        broken.write_text(line)
        told.append(refusal(broken))
    (tmp_path / ".env").write_text(f"{CANARY}\n")
    told.append(refusal(env_file=tmp_path / ".env"))
    assert not [text for text in told if CANARY in text]


def test_a_validation_error_keeps_no_input() -> None:
    with pytest.raises(UsageError) as caught:
        load(overrides={"database.url": f"mysql://me:{CANARY}@db/x"})
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert CANARY not in str(caught.value.__context__)


def test_secrets_from_files_and_other_variables(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    path.chmod(0o600)
    settings = load(
        overrides={"secrets.api_token": f"file:{path}", "secrets.telegram_bot_token": "MY_BOT"},
        env={"MY_BOT": "mine", "TELEGRAM_BOT_TOKEN": "not this"},
    )
    assert settings.secrets.api_token == SecretStr("from-a-file")
    assert settings.secrets.telegram_bot_token == SecretStr("mine")
    path.chmod(0o644)
    assert "can be read by others" in refusal(overrides={"secrets.api_token": f"file:{path}"})
    assert "cannot be read" in refusal(overrides={"secrets.api_token": f"file:{tmp_path / 'none'}"})


def test_env_file_is_taken_literally(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# a comment\nexport API_TOKEN='a$HOME%(x)s#b'\nTELEGRAM_BOT_TOKEN=\"two words\"\nOTHER=1\n")
    settings = load(env_file=env_file)
    assert settings.secrets.api_token == SecretStr("a$HOME%(x)s#b")
    assert settings.secrets.telegram_bot_token == SecretStr("two words")


def test_a_misspelled_variable_in_the_env_file_is_told(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("EXCHANGE_TESNET=true\n")
    assert "did you mean EXCHANGE_TESTNET?" in refusal(env_file=env_file)


def test_the_example_names_every_variable_and_loads(tmp_path: Path) -> None:
    example = ROOT / ".env.example"
    known = known_variables((read_ini(PACKAGED_DEFAULTS)[0],))
    text = example.read_text(encoding="utf-8")
    assert set(read_env_file(example)) == known - {"DATABASE_URL"}
    assert "\n# DATABASE_URL=sqlite+aiosqlite:///State/trading.db\n" in text
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            assert lines[number - 1].startswith("# "), line
    assert load(env_file=example) == load()
