"""The static page: small, without a word of inline code, exact in its numbers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from crypto_bot.api.static import static_folder

FOLDER = Path(__file__).resolve().parents[2] / "static-dashboard"
OURS = [file for file in sorted(FOLDER.iterdir()) if file.suffix in (".html", ".css", ".js")]
FORBIDDEN = {
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write": "text goes in by textContent",
    r"\beval\(|new Function|setTimeout\(\s*[\"'`]": "no code from text",
    r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=": "the policy forbids inline script, style and handlers",
    r"setAttribute\(\s*[\"']style": "the policy forbids style attributes",
    r"javascript:": "no code in links",
    r"https?://(?!www\.tradingview\.com/)": "nothing is loaded from elsewhere",
    r"MutationObserver|EventSource": "see the design: patch by key, fetch with the bearer",
}
CASES = [
    ("money('25118.3849')", "25,118.38"),
    ("money('25118.385')", "25,118.39"),
    ("money('-0.005')", "\u22120.01"),
    ("money('-0.004', 2, true)", "0.00"),
    ("money('0', 2, true)", "0.00"),
    ("money('81.68', 2, true)", "+81.68"),
    ("money('90071992547409931234567.125', 2)", "90,071,992,547,409,931,234,567.13"),
    ("money('1234567', 0)", "1,234,567"),
    ("money('999.999')", "1,000.00"),
    ("money(null)", "\u2013"),
    ("exact('30700.10')", "30,700.10"),
    ("exact('5')", "5"),
    ("percent(-0.00262)", "\u22120.26%"),
    ("percent(0.5, 1, false)", "50.0%"),
    ("percent(-0.00001)", "0.00%"),
    ("percent(null)", "\u2013"),
    ("percent(NaN)", "\u2013"),
    ("duration(400)", "0.4 s"),
    ("duration(47000)", "47 s"),
    ("duration(720000)", "12 min"),
    ("duration(172800000)", "2 d"),
    ("tone('-3')", "down"),
    ("tone('0.00')", "flat"),
    ("plain('grid\\u202e<b>')", "grid⟨U+202E⟩<b>"),
    ("dayAndTime('2023-07-12T14:05:00Z')", "07-12 14:05"),
]


def test_a_checkout_serves_this_folder() -> None:
    assert static_folder() == FOLDER and {"index.html", "style.css", "app.js"} <= {file.name for file in OURS}


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in OURS) <= 80_000


@pytest.mark.parametrize("pattern", FORBIDDEN, ids=list(FORBIDDEN.values()))
def test_the_page_keeps_to_its_policy(pattern: str) -> None:
    found = [f"{file.name}: {match[0]}" for file in OURS for match in re.finditer(pattern, file.read_text())]
    assert not found, FORBIDDEN[pattern]


def test_every_id_that_the_code_asks_for_is_in_the_page() -> None:
    page = (FOLDER / "index.html").read_text()
    asked = {name for file in OURS for name in re.findall(r"\$\(\"([a-z-]+)\"\)", file.read_text())}
    ids = re.findall(r"\sid=\"([^\"]+)\"", page)
    assert asked <= set(ids) and len(ids) == len(set(ids)) and len(asked) > 30


def test_numbers_are_printed_exactly() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to run the page's own code")
    calls = ", ".join(call for call, _ in CASES)
    names = "money, exact, percent, duration, tone, plain, dayAndTime"
    code = (
        f"import {{{names}}} from {json.dumps((FOLDER / 'format.js').as_uri())}; console.log(JSON.stringify([{calls}]))"
    )
    done = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert dict(zip((call for call, _ in CASES), json.loads(done.stdout), strict=True)) == dict(CASES)
