"""Putting the report together: template, style, scripts and data into one file with a policy that forbids requests."""

import base64
import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.backtesting.atomic import replacing
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome, RunLabel
from crypto_bot.backtesting.report.content import Content, content_of

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket

ROOM = Path(__file__).parent
PACKAGE = ROOM.parents[1]
CHARTS = (
    PACKAGE / "static" / "vendor" / "lightweight-charts.js",  # inside an installed package
    PACKAGE.parents[1] / "static-dashboard" / "vendor" / "lightweight-charts.js",  # in the source tree
)


def write_report(
    outcome: Outcome, metrics: Metrics, label: RunLabel, path: Path, *, bracket: "Bracket | None" = None
) -> None:
    """Write the report of a run as one HTML file; UsageError when the file cannot be written."""
    page = render(content_of(outcome, metrics, label, bracket))
    with replacing(path) as file:
        file.write(page)


def render(content: Content) -> str:
    """Return the page. The data is inert JSON; scripts and style are allowed by their hashes, and nothing else is."""
    style, charts = _part("report.css"), chart_library()
    script = _part("charts.js") + _part("scatter.js") + _part("report.js")
    policy = (
        f"default-src 'none'; script-src {_digest(charts)} {_digest(script)}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "{{policy}}": policy,
        "{{style}}": style,
        "{{charts}}": charts,
        "{{script}}": script,
        "{{data}}": inert_json(content),
    }
    page = _part("report.html")
    before, *pieces = page.split("{{")
    # Each placeholder is filled once, by position, so that no part can be mistaken for a placeholder.
    filled = [before]
    for piece in pieces:
        name, after = piece.split("}}", 1)
        filled += (parts["{{" + name + "}}"], after)
    return "".join(filled)


def inert_json(content: Content) -> str:
    """Return JSON that cannot end the element it stands in."""
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@functools.cache
def chart_library() -> str:
    """Return the charts' library, or nothing where it is not installed: the page then says so and shows its tables."""
    for path in CHARTS:
        if path.is_file():
            return path.read_text("utf-8")
    return ""


@functools.cache
def _part(name: str) -> str:
    """Return one of the files beside this module."""
    return (ROOM / name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return the hash by which a policy allows an inline part."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
