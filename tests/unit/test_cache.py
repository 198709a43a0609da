"""Where computed things are kept."""

import os
from pathlib import Path

import pytest

from crypto_bot.cache import cache_folder


def test_order_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "mine" / "deep"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "mine" / "deep"
    monkeypatch.delenv("CRYPTO_BOT_CACHE_DIR")
    assert cache_folder() == tmp_path / "xdg" / "cryptotrader"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / "home" / ".cache" / "cryptotrader"
    assert (tmp_path / "home" / ".cache" / "cryptotrader").stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fallback = cache_folder()
    assert fallback == tmp_path / f"cryptotrader-{os.getuid()}" and cache_folder() == fallback
    fallback.chmod(0o777)
    assert cache_folder() != fallback, "somebody else could have written into it"
