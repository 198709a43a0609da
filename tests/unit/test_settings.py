"""Settings: one file, one model, four layers, and one sentence for everything that is wrong."""

import configparser
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from crypto_bot.config.settings import PACKAGED_DEFAULTS, SECTION_KEYS, Settings, load_settings
from tests.settings_layers import NO_ENV_FILE, edited, ini_lines, load, refusal

ROOT = Path(__file__).resolve().parents[2]
EVERY_KEY = [(section, key) for section, keys in SECTION_KEYS.items() for key in keys]


def test_packaged_file_and_model_name_the_same_keys() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(PACKAGED_DEFAULTS, encoding="utf-8")
    written = {name: tuple(parser[name]) for name in parser.sections() if not name.startswith("strategy.")}
    assert written == dict(SECTION_KEYS)
    assert {"strategy.grid", "strategy.simple_ma", "strategy.buy_and_hold"} <= set(parser.sections())


def test_every_key_has_a_comment_that_says_what_is_allowed() -> None:
    section, comment = "", ""
    for line in ini_lines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("#"):
            comment += line.removeprefix("#").strip() + " "
            continue
        elif "=" in line and section in SECTION_KEYS:
            key = line.partition("=")[0].strip()
            model = Settings.model_fields[section].annotation
            assert isinstance(model, type) and issubclass(model, BaseModel)
            told = model.model_fields[key].description or "the name of a variable, or file:PATH"
            assert told in comment, f"[{section}] {key}"
        comment = ""


def test_repository_ships_the_packaged_file() -> None:
    """Compare what is stored in git: users edit config/config.ini, and the test is not about their copy."""
    shipped = []
    for name in ("config/config.ini", "src/crypto_bot/config/default.ini"):
        shown = subprocess.run(["git", "show", f":{name}"], cwd=ROOT, capture_output=True, text=True, check=False)
        if shown.returncode != 0:
            pytest.skip("this tree is not a git checkout, so there is no shipped config/config.ini to compare")
        shipped.append(shown.stdout)
    assert shipped[0] == shipped[1]


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_each_missing_key_is_named(tmp_path: Path, section: str, key: str) -> None:
    sentence = refusal(edited(tmp_path, **{f"{section}__{key}": None}))
    assert sentence.startswith(f"{key} is missing in [{section}]")
    assert "edited.ini" in sentence


def test_a_key_from_elsewhere_does_not_excuse_an_incomplete_file(tmp_path: Path) -> None:
    path = edited(tmp_path, data__archive=None)
    assert "archive is missing in [data]" in refusal(path, overrides={"data.archive": "x"})


def test_a_strategy_may_leave_out_everything(tmp_path: Path) -> None:
    path = edited(tmp_path, **{"strategy.simple_ma__fast": None, "strategy.simple_ma__slow": None})
    settings = load(path)
    assert settings.strategy_parameters("simple_ma") == {"fraction": "1.0"}
    assert settings.strategy_parameters("never_heard_of") == {}


def test_unknown_comes_before_missing(tmp_path: Path) -> None:
    path = edited(tmp_path, risk__max_drawdown_pct="max_drawdwn_pct = 0.15", general__mode=None)
    sentence = refusal(path)
    assert "max_drawdwn_pct" in sentence and "[risk]" in sentence and "max_drawdown_pct" in sentence
    path.write_text(path.read_text() + "\n[riks]\n")
    assert refusal(path).startswith("[riks]")


def test_default_section_is_no_back_door(tmp_path: Path) -> None:
    path = tmp_path / "default.ini"
    path.write_text("[DEFAULT]\nmode = live\n" + PACKAGED_DEFAULTS.read_text())
    assert refusal(path).startswith("[DEFAULT]")


BAD_VALUES = [
    ("general.mode", "demo"), ("general.state", ""), ("general.seed", "-1"), ("general.seed", "1.5"),
    ("exchange.name", "Binance!"), ("exchange.environment", "prod"), ("exchange.url", "https://api.binance.com"),
    ("exchange.url", "http://10.0.0.1:80"), ("trading.symbols", ""), ("trading.symbols", "BTCUSDT"),
    ("trading.universe", "top:501"), ("trading.blacklist", "BTCUSDT"),
    ("trading.symbols", "BTC/USDT, BTC/USDT"), ("trading.symbols", "../USDT"), ("trading.strategies", "Grid!"),
    ("trading.strategies", "grid,grid"), ("trading.timeframe", "5x"), ("trading.cash", "0"), ("trading.cash", "-1"),
    ("trading.cash", "nan"), ("trading.cash", "1e30"), ("trading.cash", "0.000000001"), ("trading.cash", "much"),
    ("trading.paper_trading", "maybe"), ("trading.dry_run", ""), ("risk.risk_pct_per_trade", "0"),
    ("trading.max_open_positions", "-1"), ("trading.stop_cooldown_bars", "x"), ("risk.groups", "BTC ETH"),
    ("risk.max_group_exposure_pct", "40"), ("risk.volatility_target", "-1"), ("risk.volatility_days", "2"),
    ("risk.kelly_fraction", "2"), ("risk.expectancy_gate", "on"), ("risk.max_consecutive_losses", "-1"),
    ("risk.loss_pause_hours", "0"),
    ("risk.max_drawdown_pct", "15"), ("risk.max_daily_loss_pct", "-0.05"), ("risk.max_symbol_exposure_pct", "inf"),
    ("risk.max_exposure_pct", "80%"), ("risk.max_exposure_pct", "0.00000001"), ("execution.fee_maker_bps", "-1"),
    ("execution.fee_taker_bps", "ten"), ("execution.slippage_bps", "0.001"),
    ("execution.slippage_model", "linear"), ("execution.slippage_impact", "-1"),
    ("execution.max_volume_share", "1.1"), ("execution.delisting_haircut", "2"),
    ("execution.delisting_days", "-1"), ("execution.fills", "optimistic"),
    ("execution.fill_at", "open"), ("execution.fee_asset", "BNB"), ("data.archive", " "), ("data.feed", "live"),
    ("data.start", "yesterday"), ("data.end", "2023-13-01"), ("data.speed", "-1"), ("data.speed", "inf"),
    ("backtest.fast_local", "2"), ("backtest.days_back", "-1"), ("backtest.limits", "on"), ("api.enabled", "x"),
    ("api.host", ""), ("api.host", "a b"), ("api.port", "65536"), ("api.port", "http"), ("api.allowed_origins", "*"),
    ("api.allowed_origins", "https://a.example/path"), ("api.allowed_origins", "https://*.example"),
    ("alerts.telegram", "true"), ("alerts.discord", "on"),
    ("logging.level", "LOUD"), ("logging.folder", ""), ("ml.enabled", "true"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_a_bad_value_is_told_with_section_key_value_and_what_is_allowed(name: str, value: str) -> None:
    section, _, key = name.rpartition(".")
    sentence = refusal(overrides={name: value})
    assert sentence.startswith(f"[{section}] {key} = {value!r} from the command line is not allowed: it must be ")
    assert sentence != refusal(overrides={"trading.timeframe": "7y"})


def test_every_key_but_secrets_has_a_bad_value() -> None:
    tried = {name for name, _ in BAD_VALUES} | {"database.url"}
    assert tried == {f"{section}.{key}" for section, key in EVERY_KEY if section != "secrets"}


def test_the_place_of_a_bad_value_is_told(tmp_path: Path) -> None:
    path = edited(tmp_path, risk__max_exposure_pct="max_exposure_pct = 2")
    assert f"in {path}" in refusal(path)
    assert "MAX_DRAWDOWN_PCT in the environment" in refusal(env={"MAX_DRAWDOWN_PCT": "2"})
    env_file = tmp_path / ".env"
    env_file.write_text("MAX_DRAWDOWN_PCT=2\n")
    assert f"MAX_DRAWDOWN_PCT in {env_file}" in refusal(env_file=env_file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mode = live\n", "before the first [section] (line 1)"),
        ("[general]\nmode\n", "line 2"),
        ("[general]\nmode = live\nmode = live\n", "the key mode twice in [general]"),
        ("[general]\nmode = live\n[general]\n", "the section [general] twice"),
        ("[general\nmode = live\n", "line 1"),
    ],
)
def test_ini_syntax(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "broken.ini"
    path.write_text(text)
    assert told in refusal(path)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    assert "none.ini cannot be read: No such file" in refusal(tmp_path / "none.ini")
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    binary = tmp_path / "binary.ini"
    binary.write_bytes(b"\xff\xfe\x00[")
    assert "is not UTF-8" in refusal(binary)


@given(st.text(alphabet=st.sampled_from("[]=#;%\n\t :agenrlmodv.\x00é"), max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "f.ini"
    path.write_text(text, encoding="utf-8")
    refusal(path)


LAYERS = ("command line", "environment", ".env", "ini")


@given(st.sets(st.sampled_from(LAYERS)))
def test_the_strongest_layer_wins(tmp_path_factory: pytest.TempPathFactory, present: set[str]) -> None:
    folder = tmp_path_factory.mktemp("layers")
    path = edited(folder, risk__max_drawdown_pct="max_drawdown_pct = 0.4")
    (folder / ".env").write_text("MAX_DRAWDOWN_PCT=0.3\n" if ".env" in present else "")
    settings = load(
        path,
        {"risk.max_drawdown_pct": "0.1"} if "command line" in present else {},
        {"MAX_DRAWDOWN_PCT": "0.2"} if "environment" in present else {},
        folder / ".env",
    )
    strongest = next((layer for layer in LAYERS if layer in present), "ini")
    assert settings.risk.max_drawdown_pct == Decimal(f"0.{LAYERS.index(strongest) + 1}")


def test_a_set_parameter_joins_the_others_of_its_strategy() -> None:
    settings = load(overrides={"strategy.grid.num_grids": "9"}, env={"STRATEGY__GRID__LOWER_PRICE": "1"})
    assert settings.strategy_parameters("grid") == {
        "num_grids": "9", "lower_price": "1", "upper_price": "31000", "total_investment": "10000",
        "spacing_type": "arithmetic", "sizing": "base", "top": "fixed", "trail_limit": "0", "trigger_price": "0",
        "stop_lower": "0", "stop_upper": "0", "sell_all_on_stop": "true", "out_of_range": "keep",
    }  # fmt: skip


def test_variables_work_as_named() -> None:
    env = {
        "EXCHANGE_NAME": "bybit", "EXCHANGE_API_KEY": "key-123456", "EXCHANGE_API_SECRET": "sec-123456",
        "EXCHANGE_TESTNET": "true", "TRADING_SYMBOL": "ETH/USDT, sol/usdt", "TRADING_DRY_RUN": "false",
        "RISK_PCT_PER_TRADE": "0.01", "MAX_DRAWDOWN_PCT": "0.25", "MAX_DAILY_LOSS_PCT": "0.03",
        "TELEGRAM_BOT_TOKEN": "1:tele", "TELEGRAM_CHAT_ID": "42", "DISCORD_WEBHOOK_URL": "https://d.example/x",
        "DATABASE_URL": "sqlite+aiosqlite:///trading.db", "API_TOKEN": "tok",
    }  # fmt: skip
    settings = load(env=env, overrides={"exchange.environment": "demo"}, exchange_keys=True)
    assert (settings.exchange.name, settings.exchange.environment) == ("bybit", "demo")
    assert settings.trading.symbols == ("ETH/USDT", "SOL/USDT")
    assert settings.risk.ppm() == {
        "risk_per_trade": 10_000, "max_drawdown": 250_000, "max_daily_loss": 30_000,
        "max_symbol_exposure": 500_000, "max_exposure": 800_000, "max_group_exposure": 400_000,
        "volatility_target": 0, "kelly_fraction": 0,
    }  # fmt: skip
    assert settings.database.url.get_secret_value() == "sqlite+aiosqlite:///trading.db"
    held = {name: getattr(settings.secrets, name) for name in SECTION_KEYS["secrets"]}
    assert {name: secret.get_secret_value() for name, secret in held.items()} == {
        name: env[name.upper()] for name in held
    }
    assert set(settings.secret_values()) == {env[name.upper()] for name in held}


def test_testnet_is_an_environment(tmp_path: Path) -> None:
    path = edited(tmp_path, exchange__environment="environment = live")
    assert load(path).exchange.environment == "live"
    assert load(path, env={"EXCHANGE_TESTNET": "true"}).exchange.environment == "testnet"


def test_keys_are_spelled_exactly(tmp_path: Path) -> None:
    assert refusal(edited(tmp_path, general__mode="Mode = forward")).startswith("Mode in ")


def test_an_empty_variable_is_not_set_and_testnet_false_changes_nothing() -> None:
    env = {"MAX_DRAWDOWN_PCT": "", "EXCHANGE_TESTNET": "false", "API_TOKEN": " ", "DATA__START": ""}
    settings = load(env=env, overrides={"exchange.environment": "demo"})
    assert settings.risk.max_drawdown_pct == Decimal("0.15")
    assert settings.exchange.environment == "demo"
    assert settings.secrets.api_token is None
    assert settings.data.start_ns is None
    assert "EXCHANGE_TESTNET in the environment" in refusal(env={"EXCHANGE_TESTNET": "perhaps"})


def test_the_generic_form_reaches_every_key() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(PACKAGED_DEFAULTS, encoding="utf-8")
    env = {f"{section}__{key}".upper(): parser[section][key] for section, key in EVERY_KEY}
    assert load(env=env) == load()
    assert "RISK__NONSENSE in the environment" in refusal(env={"RISK__NONSENSE": "1"})
    assert "set twice" in refusal(env={"MAX_DRAWDOWN_PCT": "0.1", "RISK__MAX_DRAWDOWN_PCT": "0.2"})
    load(env={"UNRELATED__THING": "1", "PATH": "/bin", "general__mode": "x"})


@pytest.mark.parametrize("name", ["mode", "general", "general.", ".mode", ""])
def test_a_set_that_names_no_setting(name: str) -> None:
    assert "write it as --set SECTION.KEY=VALUE" in refusal(overrides={name: "x"})


def test_a_set_of_something_unknown() -> None:
    assert refusal(overrides={"risk.nothing": "1"}).startswith("nothing from the command line is not a key of [risk]")
    assert refusal(overrides={"risky.x": "1"}).startswith("[risky]")


def test_dry_run_wins_over_all(tmp_path: Path) -> None:
    never = {"trading.dry_run": "false"}
    assert load(overrides=never, env={"TRADING_DRY_RUN": "true"}).trading.dry_run
    env_file = tmp_path / ".env"
    env_file.write_text("TRADING_DRY_RUN=1")
    assert load(overrides=never, env_file=env_file).trading.dry_run
    assert not load(env={"TRADING_DRY_RUN": "false"}, env_file=env_file).trading.dry_run


def test_a_percent_sign_in_the_ini_file_is_a_percent_sign(tmp_path: Path) -> None:
    assert load(edited(tmp_path, data__archive="archive = 100%/%(x)s")).data.archive == Path("100%/%(x)s")


def test_state_moves_with_what_lies_in_it(tmp_path: Path) -> None:
    settings = load(overrides={"general.state": str(tmp_path)})
    assert settings.database.url.get_secret_value() == f"sqlite+aiosqlite:///{tmp_path}/trading.db"
    assert settings.log_folder == tmp_path / "logs"
    assert load().database.url.get_secret_value() == "sqlite+aiosqlite:///State/trading.db"
    elsewhere = load(overrides={"general.state": "there", "database.url": "sqlite:///here.db", "logging.folder": "/l"})
    assert elsewhere.database.url.get_secret_value() == "sqlite:///here.db"
    assert elsewhere.log_folder == Path("/l")


def test_settings_that_contradict_each_other() -> None:
    sentence = refusal(overrides={"data.start": "2023-05-01", "data.end": "2023-04-01"})
    assert "[data] start" in sentence and "[data] end" in sentence
    sentence = refusal(overrides={"exchange.url": "http://127.0.0.1:1"})
    assert "[exchange] url" in sentence and "practice" in sentence
    practice = load(overrides={"exchange.url": "http://127.0.0.1:1", "exchange.environment": "practice"})
    assert practice.exchange.url == "http://127.0.0.1:1"


def test_integers_for_the_kernel() -> None:
    settings = load(
        overrides={"trading.cash": "1234.00000001", "execution.fee_maker_bps": "7.25", "data.end": "2023-10-20"}
    )
    assert settings.trading.cash_atoms == 123_400_000_001
    assert (settings.execution.fee_maker_ppm, settings.execution.slippage_ppm) == (725, 500)
    assert settings.data.start_ns == 1_679_270_400_000_000_000
    assert settings.data.end_ns == 1_697_846_399_999_999_999


def test_frozen() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.general = settings.general
    with pytest.raises(ValidationError):
        settings.risk.max_drawdown_pct = Decimal(1)


def test_the_process_environment_is_read_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_DRAWDOWN_PCT", "0.5")
    assert load_settings(None, env_file=NO_ENV_FILE).risk.max_drawdown_pct == Decimal("0.5")
    assert load(env={}).risk.max_drawdown_pct == Decimal("0.15")
    assert "MAX_DRAWDOWN_PCT" in os.environ
