"""Each rule of the tidy test catches a planted fault, and leaves what is right alone."""

import pytest

from tests.style import honesty, purity, sizes, texts
from tests.style.tree import PACKAGE, Rule, Source


def body(count: int) -> str:
    return "".join(f"    value_{number} = {number}\n" for number in range(count))


def methods(count: int) -> str:
    return "class Wide:\n" + "".join(f"    def act_{number}(self): ...\n" for number in range(count))


# Split, so that this file does not itself carry what it plants.
TO_DO = "TO" + "DO"
INDEX_OPTION = "--index" + "-url"
REGISTRY = "py" + "pi.org"
HOME = "/ho" + "me/anna/bot"

FAULTS: list[tuple[Rule, str, str]] = [
    (sizes.file_length, "data/archive.py", "x = 1\n" * 401),
    (sizes.function_length, "data/archive.py", "def load():\n" + body(70)),
    (sizes.class_width, "data/archive.py", methods(13)),
    (sizes.parameters, "data/archive.py", "def load(a, b, c, d, e, f): ..."),
    (sizes.parameters, "data/archive.py", "def load(a, b, c, d, e, *, f, g, h): ..."),
    (sizes.parameters, "data/archive.py", "class A:\n    async def load(self, a, b, c, d, e, f): ..."),
    (sizes.parameters, "../../tests/unit/test_archive.py", "def test_load(a, b, c, d, e, f, g, h): ..."),
    (sizes.parameters, "kernel/orders.py", "@compiled(inline=True)\ndef place(a, b, c, d, e, f, g, h, i, j): ..."),
    (sizes.module_name, "data/utils.py", ""),
    (sizes.module_name, "helpers/archive.py", ""),
    (sizes.class_ending, "data/archive.py", "class OrderManager: ..."),
    (sizes.class_ending, "data/archive.py", "class FeedFactory: ..."),
    (sizes.room_docstring, "data/__init__.py", "x = 1\n"),
    (honesty.broad_except, "data/archive.py", "try:\n    x = 1\nexcept Exception:\n    pass"),
    (honesty.broad_except, "data/archive.py", "try:\n    x = 1\nexcept:\n    pass"),
    (honesty.broad_except, "data/archive.py", "try:\n    x = 1\nexcept (OSError, BaseException):\n    pass"),
    (honesty.loose_types, "data/archive.py", "from typing import Any"),
    (honesty.loose_types, "data/archive.py", "import typing\nx: typing.Any = 1"),
    (honesty.loose_types, "data/archive.py", "def load(row: dict[str, object]): ..."),
    (honesty.module_state, "data/archive.py", "registry = {'a': 1}"),
    (honesty.module_state, "data/archive.py", "CACHE = {}"),
    (honesty.module_state, "data/archive.py", "SEEN: set[str] = set()"),
    (honesty.module_state, "data/archive.py", "TABLE = {'a': 1}\ndef add():\n    TABLE['b'] = 2"),
    (honesty.module_state, "data/archive.py", "TABLE = ['a']\ndef add():\n    TABLE.append('b')"),
    (honesty.module_state, "data/archive.py", "count = 0\ndef add():\n    global count\n    count = 1"),
    (honesty.mode_branches, "runtime/drive.py", "def f(self):\n    if self.is_live:\n        pass"),
    (honesty.mode_branches, "runtime/drive.py", "def f(mode):\n    if mode == 'live':\n        pass"),
    (honesty.mode_branches, "runtime/drive.py", "def f(run):\n    match run.mode:\n        case 'live': pass"),
    (honesty.unexplained_ignores, "data/archive.py", "x = 1  # type: " + "ignore"),
    (honesty.unexplained_ignores, "data/archive.py", "x = 1  # type: " + "ignore[attr-defined]"),
    (honesty.unfinished, "data/archive.py", f"x = 1  # {TO_DO} write it"),
    (honesty.unfinished, "data/archive.py", 'def f():\n    """Do nothing for ' + 'now."""'),
    (honesty.unfinished, "data/archive.py", "def f():\n    raise NotImplementedError"),
    (honesty.one_compiler, "kernel/orders.py", "from numba import njit"),
    (honesty.one_compiler, "venue/matching.py", "def f():\n    import llvmlite.binding"),
    (purity.operators, "kernel/orders.py", "def f(x):\n    return x ** 2"),
    (purity.operators, "kernel/orders.py", "def f(x):\n    x **= 2"),
    (purity.operators, "strategies/grid.py", "import numpy as np\ndef f(x):\n    return np.mean(x)"),
    (purity.operators, "strategies/grid.py", "def f(x):\n    return x.std()"),
    (purity.operators, "venue/matching.py", "def f(x, y):\n    return x @ y"),
    (purity.operators, "venue/matching.py", "f = compiled(fastmath=True)"),
    (purity.operators, "venue/matching.py", "def f():\n    for i in prange(3): pass"),
    (purity.constants, "kernel/orders.py", "slots = 64"),
    (purity.constants, "kernel/orders.py", "if True:\n    first, LAST = 1, 2"),
    (purity.constants, "kernel/orders.py", "timeframe = '1d'"),
    (purity.calls, "kernel/orders.py", "def f():\n    print('x')"),
    (purity.calls, "strategies/grid.py", "def f():\n    return open('x')"),
    (purity.calls, "strategies/grid.py", "def f(x):\n    return sum(x)"),
    (purity.calls, "venue/matching.py", "def f(datetime):\n    return datetime.now()"),
    (purity.outside, "kernel/orders.py", "import time"),
    (purity.outside, "venue/matching.py", "from random import random"),
    (purity.outside, "strategies/grid.py", "def f():\n    import logging"),
    (purity.outside, "strategies/grid.py", "import numpy as np\ndef f():\n    return np.random.normal()"),
    (purity.whole_numbers, "kernel/ledger.py", "def f(cash: float): ..."),
    (purity.whole_numbers, "kernel/orders.py", "import numpy as np\nX = np.float64"),
    (purity.whole_numbers, "kernel/limits.py", "def f(x):\n    return x * 0.5"),
    (purity.whole_numbers, "venue/matching.py", "def f(x):\n    return x / 2"),
    (purity.whole_numbers, "kernel/ledger.py", "FIELDS = [('cash', 'f8')]"),
    (texts.machine_paths, "../../docs/x.md", f"cd {HOME} && make run"),
    (texts.machine_paths, "../../docs/x.md", "see /wo" + "rk/notes"),
    (texts.registry_hosts, "../../Dockerfile", f"RUN pip install {INDEX_OPTION} x"),
    (texts.registry_hosts, "../../docs/x.md", f"https://{REGISTRY}/project/x"),
]

INNOCENT: list[tuple[Rule, str, str]] = [
    (sizes.file_length, "data/archive.py", "x = 1\n" * 400),
    (sizes.function_length, "data/archive.py", "def load():\n" + body(69)),
    (sizes.class_width, "data/archive.py", methods(12) + "    def _inner(self): ...\n"),
    (sizes.parameters, "data/archive.py", "class A:\n    def load(self, a, b, c, d, e, *, f, g): ..."),
    (sizes.parameters, "../../tests/unit/test_archive.py", "def test_load(a, b, c, d, e, f): ..."),
    (sizes.parameters, "kernel/orders.py", "@compiled(inline=True)\ndef place(a, b, c, d, e, f, g, h, i): ..."),
    (sizes.module_name, "data/archive.py", ""),
    (sizes.class_ending, "risk/__init__.py", "class RiskManager: ..."),
    (sizes.room_docstring, "data/__init__.py", '"""Candles on disk."""'),
    (honesty.broad_except, "data/archive.py", "try:\n    x = 1\nexcept (OSError, ValueError):\n    pass"),
    (honesty.broad_except, "data/archive.py", "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise"),
    (honesty.loose_types, "config/ini.py", "from typing import Any"),
    (honesty.loose_types, "exchange/binance/wire.py", "def load(row: dict[str, object]): ..."),
    (honesty.module_state, "data/archive.py", "TABLE = {'a': 1}\ndef get(key):\n    return TABLE[key]"),
    (honesty.module_state, "data/archive.py", "def f():\n    rows = []\n    rows.append(1)\n    return rows"),
    (honesty.mode_branches, "cli/run.py", "def f(mode):\n    if mode == 'live':\n        pass"),
    (honesty.mode_branches, "runtime/drive.py", "def f(settings):\n    return settings.mode"),
    (honesty.unexplained_ignores, "data/archive.py", "x = 1  # type: ignore[attr-defined]  # no stubs exist"),
    (honesty.unfinished, "data/archive.py", "x = 'TO' 'DO'  # what to do next, and why"),
    (honesty.one_compiler, "kernel/compiled.py", "from numba import njit"),
    (purity.operators, "backtesting/metrics.py", "import numpy as np\ndef f(x):\n    return np.mean(x) ** 2"),
    (purity.operators, "kernel/orders.py", "def f(x, **options):\n    return x * x"),
    (purity.constants, "strategies/grid.py", "timeframe = '1d'\nLINES = 64\nIntArray = tuple[int, ...]"),
    (purity.calls, "data/archive.py", "def f():\n    return open('x')"),
    (purity.calls, "kernel/genesis.py", "def f(x):\n    return sum(x)"),
    (purity.outside, "kernel/orders.py", "import numpy as np\nfrom crypto_bot.kernel.compiled import compiled"),
    (purity.whole_numbers, "kernel/indicators.py", "def f(x: float):\n    return x / 2.0"),
    (purity.whole_numbers, "kernel/ledger.py", "def f(x):\n    return x // 2"),
    (texts.machine_paths, "../../docs/x.md", "cd $HOME/work/bot; see docs/work/x and https://host.test/home/x"),
    (texts.registry_hosts, "../../docs/x.md", "pip install -e ."),
]


def planted(place: str, text: str) -> Source:
    path = place.removeprefix("../../") if place.startswith("../../") else PACKAGE + place
    return Source(path, text)


def name_of(value: object) -> str | None:
    return value.__name__ if callable(value) and hasattr(value, "__name__") else None


@pytest.mark.parametrize(("rule", "place", "text"), FAULTS, ids=name_of)
def test_catches(rule: Rule, place: str, text: str) -> None:
    assert list(rule(planted(place, text))), "the planted fault was not found"


@pytest.mark.parametrize(("rule", "place", "text"), INNOCENT, ids=name_of)
def test_spares(rule: Rule, place: str, text: str) -> None:
    assert not list(rule(planted(place, text)))


def test_every_rule_is_tried_both_ways() -> None:
    rules = {*sizes.RULES, *honesty.RULES, *purity.RULES, *texts.RULES}
    assert {rule for rule, _, _ in FAULTS} == rules == {rule for rule, _, _ in INNOCENT}
