"""The page in a real browser, over the real server: it shows the run, and the policy finds nothing to refuse."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.grid_run import Grid
from tests.wire.serving import TOKEN, client_of, until, write

pytestmark = pytest.mark.slow

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
    "--virtual-time-budget=4000", "--window-size=1440,900",
)  # fmt: skip


def dump(url: str, profile: Path) -> tuple[str, list[str]]:
    """Return the page as the browser has it after four seconds, and what its console complained of."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no chromium on this machine")
    command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = [line for line in done.stderr.split("\n") if "CONSOLE" in line and "[DOM]" not in line]
    return done.stdout, said


def text_of(page: str, name: str) -> str:
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', page)
    assert found, f"{name} is not in the page"
    return found[1]


def test_the_page_shows_the_run(tmp_path: Path) -> None:
    rows = list(Grid(bars=300).rows())
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db") as client:
        until(client, rows[-1].sequence)
        status = client.get("/api/status").json()
        page, said = dump(f"{client.base_url}/#token={TOKEN}", tmp_path / "profile")
    assert said == []
    assert 'data-phase="ready"' in page and 'data-mode="paper"' in page
    assert text_of(page, "k-equity").replace(",", "") == f"{float(status['equity']):.2f}"
    assert text_of(page, "n-orders") == "18" and text_of(page, "n-trades") == str(status["trades"])
    assert page.count('role="row"') == 18 + min(200, status["trades"])
    assert "<canvas" in page and TOKEN not in page


def test_without_a_token_it_asks_for_one(tmp_path: Path) -> None:
    with client_of(tmp_path / "trading.db") as client:
        page, said = dump(f"{client.base_url}/", tmp_path / "profile")
    assert said == []
    assert re.search(r'<dialog id="dlg-login"[^>]* open', page)
