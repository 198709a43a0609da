"""Names, tags and reasons that are scripts: a browser shows them as text, and the page has no way to run them."""

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crypto_bot.api.static import static_folder
from crypto_bot.persistence.journal import JournalRow
from tests.grid_run import Grid
from tests.wire.serving import TOKEN, client_of, until, write
from tests.wire.test_browser import dump

SCRIPTS = (
    "<img src=x onerror=document.body.dataset.pwned=1>",
    "<script>document.body.dataset.pwned=1</script>",
    "\"'><svg/onload=document.body.dataset.pwned=1>",
    "javascript:document.body.dataset.pwned=1",
    "</script><iframe srcdoc='<script>parent.document.body.dataset.pwned=1</script>'>",
    "{{constructor.constructor('document.body.dataset.pwned=1')()}}",
)
SYMBOL = "<img src=y onerror=document.body.dataset.pwned=1>/USDT"
"""What an exchange could call a pair."""
SINKS = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe|srcdoc|eval)\b"
    r"|new Function|set(Timeout|Interval)\(\s*['\"`]|javascript:"
    r"|\son(error|load|click|focus|input|submit|mouse\w+|key\w+)\s*=|DOMParser"
)
OWN_SCRIPTS = ("vendor/lightweight-charts.js", "app.js")
OWN_FILES = [
    file for file in static_folder().rglob("*") if file.suffix in (".js", ".html") and "vendor" not in file.parts
]


def told_by(script: str) -> list[JournalRow]:
    """Return a run whose strategy, environment, symbol and reasons are scripts."""
    spelled = script.replace("\\", "\\\\").replace('"', '\\"')
    rows = []
    for row in Grid(bars=40).rows():
        payload, outcome = (text.replace('"grid"', f'"{spelled}"') for text in (row.payload, row.outcome))
        payload = payload.replace('"recorded"', f'"{spelled}"').replace("BTC/USDT", SYMBOL)
        outcome = outcome.replace("BTC/USDT", SYMBOL)
        rows.append(replace(row, payload=payload, outcome=outcome))
    halt = f'{{"command":"halt","reason":"{spelled}","by":"{spelled}"}}'
    return [*rows, JournalRow(rows[-1].sequence + 1, rows[-1].time_ns, "COMMAND", halt, '{"halt":1}')]


def dangers(page: str) -> list[str]:
    """Return the elements and attributes of a page that run something, but for its own script."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            own = tag == "script" and dict(attrs).get("src") in OWN_SCRIPTS
            if tag in ("script", "img", "iframe", "object", "embed") and not own:
                found.append(tag)
            for name, value in attrs:
                leads = name in ("href", "src", "action", "formaction") and "script:" in (value or "").lower()
                if leads or name.startswith("on") or name == "srcdoc":
                    found.append(name)

    Reader().feed(page)
    return found


def test_what_runs_is_recognised() -> None:
    for text in (*SCRIPTS[:3], SCRIPTS[4], SYMBOL, "<a href='javascript:x'>", "<b onclick=x>", "<script src=/x.js>"):
        assert dangers(f"<p>{text}</p>"), text
        assert dangers(f"<p title='{escape(text)}'>{escape(text)}</p>") == []


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_browser_runs_nothing_of_it(script: str, tmp_path: Path) -> None:
    rows = told_by(script)
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db") as client:
        until(client, rows[-1].sequence)
        assert script in {order["strategy"] for order in client.get("/api/orders").json()["items"]}, "it comes so far"
        page, said = dump(f"{client.base_url}/#token={TOKEN}", tmp_path / "profile")
    for text in (script, SYMBOL):
        assert escape(text, quote=False) in page, "it is shown as the text that it is"
    assert "data-pwned" not in page and 'data-phase="ready"' in page
    assert said == [], "nothing was even tried: the policy had nothing to refuse"
    assert dangers(page) == [], "as text it may stand there, as an element or what one does never"


@pytest.mark.parametrize("file", OWN_FILES, ids=lambda file: file.name)
def test_the_page_has_no_place_where_text_becomes_markup(file: Path) -> None:
    found = [line for line in file.read_text(encoding="utf-8").splitlines() if SINKS.search(line)]
    assert found == []


def test_the_sinks_are_recognised() -> None:
    for line in (
        "a.innerHTML = b",
        "eval(x)",
        "<b onclick='x'>",
        'setTimeout("x")',
        "new Function(x)",
        "document.write(x)",
    ):
        assert SINKS.search(line), line
