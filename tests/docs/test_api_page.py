"""The page on the API: its routes, parameters, bodies, roles and numbers are those of the program."""

import re
from pathlib import Path

import pytest

from crypto_bot.api import stream
from crypto_bot.api.access import ACCESS, OPEN, READ, TRADE
from crypto_bot.api.app import create_app
from crypto_bot.api.candles import DEFAULT_EXCHANGE
from crypto_bot.api.static import static_folder
from crypto_bot.persistence.caching import CACHED_BARS
from tests.style.tree import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
UNTOLD = ("GET", "/openapi.json")
"""Named in the text, not in a table."""

_ROW = re.compile(r"^\| `(/[^`]*)` \|([^|]*)\|", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`")


def told() -> dict[tuple[str, str], tuple[set[str], bool]]:
    """Return, by method and path, the names of parameters or of the body, and whether the body may be left out."""
    reads, commands = PAGE.split("| path, by POST |")
    found = {}
    for method, part in (("GET", reads), ("POST", commands)):
        for path, names in _ROW.findall(part):
            found[method, path] = (set(_NAME.findall(names)), "or none" in names)
    return found


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[set[str], bool]]:
    """Return the same of the description that the program gives of itself."""
    folder: Path = tmp_path_factory.mktemp("none")
    document = create_app(folder / "none.db", "a-token-of-a-test", static_folder()).openapi()
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
            optional = False
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                shapes = [each["$ref"] for each in [*schema.get("anyOf", ()), schema] if "$ref" in each]
                names |= set(document["components"]["schemas"][shapes[0].rpartition("/")[2]]["properties"])
                optional = not operation["requestBody"].get("required", False)
            found[method.upper(), path] = (names, optional)
    return found


def test_every_route_is_on_the_page_with_its_parameters(
    described: dict[tuple[str, str], tuple[set[str], bool]],
) -> None:
    assert told() == described
    assert set(told()) == set(ACCESS) - {UNTOLD}
    assert UNTOLD[1] in PAGE


def test_roles_are_as_the_page_says() -> None:
    for (method, path), role in ACCESS.items():
        expected = TRADE if method == "POST" else OPEN if path == "/health" else READ
        assert role == expected, f"say on the page what {path} needs"


def test_the_numbers_of_the_stream_are_the_programs() -> None:
    for words in (
        f"more than {stream.BEHIND_MOST:,} events behind",
        f"does not read for {stream.PATIENCE_S:.0f} seconds",
        f"At most {stream.STREAMS_MOST} streams",
    ):
        assert words in PAGE
    assert stream.BEAT_S == 0.5 and "twice a second" in PAGE


def test_the_newest_bars_are_as_many_as_the_page_says() -> None:
    assert f"newest {CACHED_BARS:,} bars" in PAGE and f"`exchange` is `{DEFAULT_EXCHANGE}`" in PAGE
