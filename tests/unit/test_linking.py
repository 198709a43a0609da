"""Entry points are compiled whole, call one another by name, and are found again on disk by the next process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_bot.kernel.compiled import COMPILE

pytestmark = pytest.mark.skipif(not COMPILE, reason="nothing is compiled")

_MODULE = """
import json
import os

import numpy as np

from crypto_bot.kernel.compiled import compiled, types

WHOLE = types.int64
MANY = types.Array(WHOLE, 1, "C")


if "OTHERS_FIRST" in os.environ:

    @compiled(WHOLE(WHOLE))
    def other(x):
        return x


@compiled(inline=True)
def half(x, kind):
    return x // 2 + kind


@compiled(inner=True)
def taken(values, i):
    return values[i] + half(i, 5)


@compiled(WHOLE(WHOLE, MANY))
def below(x, values):
    return half(x, 3) + half(x, 4) + taken(values, x)


@compiled(WHOLE(WHOLE, MANY))
def above(x, values):
    return below(x, values) * 2 + half(x, 1)


def told():
    values = np.arange(10, 20)
    try:
        above(10, values)
        fault = ""
    except IndexError as error:
        fault = str(error)
    hits = sum(sum(d.stats.cache_hits.values()) for d in (below, above))
    return {"above": int(above(4, values)), "fault": fault, "kinds": len(half.overloads), "hits": hits}


print(json.dumps(told()))
"""


def run(folder: Path, **more: str) -> dict[str, object]:
    environment = {**os.environ, **more, "CRYPTO_BOT_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", "import two_entries"], env=environment, capture_output=True, text=True, check=True
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_an_entry_is_compiled_once_and_called_by_the_next_process(tmp_path: Path) -> None:
    (tmp_path / "two_entries.py").write_text(_MODULE)
    expected = ((4 // 2 + 3) + (4 // 2 + 4) + 14 + (4 // 2 + 5)) * 2 + 4 // 2 + 1
    first = run(tmp_path)
    assert first["above"] == expected
    assert "out of bounds" in str(first["fault"])  # through both entries, as an exception
    assert (first["kinds"], first["hits"]) == (1, 0)  # one half for three constants
    made = sorted(file.name for file in tmp_path.rglob("*.nbc"))
    assert len(made) == 2  # parts are not kept: they are inside
    second = run(tmp_path)
    assert {**second, "hits": 0, "kinds": 1} == first
    assert second["hits"] == 2
    assert sorted(file.name for file in tmp_path.rglob("*.nbc")) == made


def test_an_entry_that_is_compiled_anew_is_still_found_by_its_callers(tmp_path: Path) -> None:
    (tmp_path / "two_entries.py").write_text(_MODULE)
    first = run(tmp_path)
    for file in tmp_path.rglob("*below*"):
        file.unlink()
    again = run(tmp_path, OTHERS_FIRST="1")  # so that every counter of the compiler stands elsewhere
    assert (again["above"], again["fault"], again["hits"]) == (first["above"], first["fault"], 1)
