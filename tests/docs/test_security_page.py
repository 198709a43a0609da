"""The page on security: every control names tests that exist, and every number it gives is the program's."""

import ast
import re
from functools import cache

import pytest

from crypto_bot.api import connection
from crypto_bot.api.bounds import Bounds
from crypto_bot.api.grants import DAYS
from crypto_bot.api.throttle import PAUSE_MAX_S, Limits
from tests.style.tree import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
LATER = {"S17", "S24", "S25"}


def rows() -> dict[str, str]:
    """Return the proofs by the number of their control."""
    found = re.search(r"<!-- controls:.*?-->\n(.*?)<!-- end of controls -->", PAGE, re.DOTALL)
    assert found is not None
    cells = [line.strip("|").split("|") for line in found[1].splitlines()[2:]]
    return {number.strip(): proof for number, _, proof in cells}


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_control_is_left_out() -> None:
    assert set(rows()) | LATER == {f"S{number}" for number in range(1, 27)}
    for number in LATER:
        assert number in PAGE


@pytest.mark.parametrize("number", rows())
def test_a_control_is_proved_by_tests_that_exist(number: str) -> None:
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", rows()[number])
    assert proofs
    for file, name in proofs:
        assert name in names_in(file), f"{file} has no {name}"


def test_the_numbers_are_those_of_the_program() -> None:
    bounds, limits = Bounds(), Limits()
    kib = 1_024
    assert f"{bounds.body_bytes // kib} KiB, JSON, {bounds.depth} levels deep, whole within {bounds.body_s:g} s" in PAGE
    head = f"{bounds.headers} headers, {bounds.header_bytes // kib} KiB, an address of {bounds.target_bytes // kib} KiB"
    assert f"{head}, whole within {connection.HEAD_S:g} s" in PAGE and bounds.header_bytes == connection.HEAD_BYTES
    assert f"| {connection.CONNECTIONS_MAX}; {connection.FROM_ONE_ADDRESS} from one other machine;" in PAGE
    assert f"{connection.KEPT_FOR_LOOPBACK} kept for this one" in PAGE and f"| {connection.UNREAD_S:g} s |" in PAGE
    assert f"{limits.loopback.rate:,} a second from this machine, {limits.address.rate} from another address" in PAGE
    assert f"{limits.commands.rate} commands a second" in PAGE and limits.tries == 5 and PAUSE_MAX_S == 300
    assert f"after {DAYS} days" in PAGE
