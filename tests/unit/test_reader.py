"""The reader: what it makes of a module, line by line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto_bot.authoring.reader import read, read_text
from crypto_bot.strategies.catalogue import NAMES, find
from tests.authors import FOLDER, HEAD, PATH, module_of


def edited(body: str) -> str:
    """Return what becomes of the body of the loop over all symbols."""
    lines = module_of(body).edited_text().splitlines()[len(HEAD.splitlines()) - 1 :]
    return "\n".join(line.removeprefix("        ") for line in lines)


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("target(k, 1.0)", "_w.target(_s, k, 1.0)"),
        ("x = equity() + count()", "x = _w.equity(_s) + _w.count(_s)"),
        ("target(fraction=0.5, k=k)", "_w.target(_s, fraction=0.5, k=k)"),
        ("x = sqrt(close(k))", "x = _w.sqrt(_w.close(_s, k))"),
        ("m.held[k] = rank(m.score, k)", "m.held[k] = _w.rank(_s, m.score, k)"),
        ("quote(k, 0, BUY, 1.0, 2.0)", "_w.quote(_s, k, 0, _w.BUY, 1.0, 2.0)"),
        ("x = ema(k, p.n)", "x = _x.v0[k]"),
        ("x = ema(k, p.n, ago=1)", "x = _x.b0[k]"),
        ("x = ema(k, p.n, 0)", "x = _x.v0[k]"),
        ("x = ema(length=p.n, ago=1, k=k)", "x = _x.b0[k]"),
        ("x = ema((k), (p.n))", "x = _x.v0[k]"),
        ("x = ema(int(close(k)), 3)", "x = _x.v0[int(_w.close(_s, k))]"),
        ("x = ema(rank(m.score, k), 3) - rsi(k, 3)", "x = _x.v0[_w.rank(_s, m.score, k)] - _x.v1[k]"),
        ("x = ema(\n    k,\n    p.n,  # (\n)", "x = _x.v0[\nk\n\n]"),
        ("x = ema(\n    length=p.n,\n    k=k)", "x = _x.v0[\n\nk]"),
        ("x = (close)(k)", "x = (_w.close)(_s, k)"),
        ("x = close (k)", "x = _w.close (_s, k)"),
        ("x = (close # why (\n  (k))", "x = (_w.close # why (\n  (_s, k))"),
        ("größe = close(k) # 価格", "größe = _w.close(_s, k) # 価格"),
        ("größe = 1.0; x = größe * close(k)", "größe = 1.0; x = größe * _w.close(_s, k)"),
        ("x: float = close(k)", "x: float = _w.close(_s, k)"),
        ("m.held[int(close(k))] += 1", "m.held[int(_w.close(_s, k))] += 1"),
        (
            "for j, n in enumerate(p.lengths):\n    x = ema(k, n)",
            "for j, n in enumerate(p.lengths):\n    x = _x.v0[j * _s.count + (k)]",
        ),
        ("for j, n in enumerate(p.lengths):\n    x = close(k, n)", None),
        ("for n in p.lengths:\n    x = close(k, n)", "for n in p.lengths:\n    x = _w.close(_s, k, n)"),
        (
            "for n in LEVELS:\n    x = ema(k, n + 1, ago=1)",
            "for _j20, n in enumerate((LEVELS)):\n    x = _x.b0[_j20 * _s.count + (k)]",
        ),
        (
            "for n in 3, 5:\n    x = ema(k, n)",
            "for _j20, n in enumerate((3, 5)):\n    x = _x.v0[_j20 * _s.count + (k)]",
        ),
        (
            "for (n) in (3, 5):\n    x = ema(k, n)",
            "for (_j20, n) in enumerate(((3, 5))):\n    x = _x.v0[_j20 * _s.count + (k)]",
        ),
    ],
)
def test_a_line_becomes(written: str, becomes: str | None) -> None:
    expected = becomes if becomes is not None else written.replace("close(", "_w.close(_s, ")
    assert edited(written) == expected


def test_functions_get_the_hidden_arguments_and_lose_their_annotations() -> None:
    after = (
        "\n\ndef one(k: int, p: Params = 3) -> tuple[\n    int, ...\n]:\n    return two (), k\n"
        "\n\ndef two():\n    return HALF\n"
    )
    text = module_of("x, y = one(k, p)", after=after.replace(" = 3", "")).edited_text()
    assert "def one(_s, _x, k: (None), p: (None)) -> (\n\nNone):\n    return two (_s, _x), k\n" in text
    assert "def two(_s, _x):\n" in text
    assert "x, y = one(_s, _x, k, p)" in text
    assert "def step(_s, _x, p, m):" in text


def test_memory_and_check_leave_their_lines_only() -> None:
    text = f"{HEAD}pass\n\n\ndef check(p):\n    # why\n    assert p.n > 0\n\n\nLAST: int = 7\n"
    module = read_text(text, PATH)
    assert "memory" not in module.edited_text()
    assert "check" not in module.edited_text()
    lines = module.edited_text().splitlines()
    assert lines.index("LAST: (None) = 7") == text.splitlines().index("LAST: int = 7")


def test_the_edited_text_is_a_module_of_its_own() -> None:
    """It can be loaded without the words: it imports what its constants and parameters need."""
    names: dict[str, object] = {}
    text = HEAD.replace("LEVELS = (3, 5)", "LEVELS = (BUY, SELL)") + "pass\n"
    exec(compile(read_text(text, PATH).edited_text(), "edited.py", "exec"), names)
    assert names["LEVELS"] == (1, -1)
    assert callable(names["step"])


@pytest.mark.parametrize(
    "body",
    [
        "if p.on:\n    y = 1.5\nelse:\n    y = 0.5\ntarget(k, y)",
        "if p.on:\n    y = 1.5\nelif k > 1:\n    continue\nelse:\n    return\ntarget(k, y)",
        "if p.on:\n    if k:\n        return\n    else:\n        break\nelse:\n    y = 0.5\ntarget(k, y)",
        "y = 0\nfor j in range(3):\n    y += 0.5\ntarget(k, y)",
        "total = 0\nfor n in p.lengths:\n    total += 1 if close(k) > ema(k, n) else 0\ntarget(k, total / 3)",
        "a, (b, c) = 1, (2.0, 3)\nm.held[k] = a + c",
        "a, b = p.lengths\nm.held[k] = a",
        "a, b = pair(k)\ntarget(k, b)\nm.held[a] = a",
        "chosen = m.held[k] and close(k) > 3\nif chosen or not p.on:\n    pass",
        "m.held[k] = p.on",
        "m.held[k] = whole(2.7)",
        "m.score[k] = half(k)",
        "m.held[k] = half(k) > 3",
        "x = min(p.lengths) + max(LEVELS) + max(1, 2.5, k) + abs(-3) + int(True) + len(symbols())",
        "for _ in range(2):\n    for _ in range(3):\n        pass",
        "for x in (True, False):\n    target(k, 1.0 if x else 0.0)",
        "x = symbols()\nfor j in x:\n    pass",
        "x = (1, 2.5)[1]\ntarget(k, x)",
        "x = p.lengths[-1] & 3 | LEVELS[0] ^ 1",
        "x = weekday() // 2 % 3 * -hour()",
        "unused = 1\ndef_ = 2",
        "'a text that stands alone'",
        "x = 1; y = 2; target(k, x / y)",
    ],
)
def test_this_is_possible(body: str) -> None:
    after = (
        "\n\ndef half(k, scale=HALF):\n    return close(k) * scale\n"
        "\n\ndef whole(x):\n    return int(x)\n"
        "\n\ndef pair(k):\n    return k, close(k)\n"
        "\n\ndef never_called(k, p, a, b):\n    x = a * b\n    return x[k] if a else p.share\n"
    )
    module_of(body, after=after)


def test_words_need_no_import_to_be_understood() -> None:
    assert read_text("def step(p):\n    target(0, 1.0)\n", PATH).edited_text().endswith("_w.target(_s, 0, 1.0)\n")


def test_annotations_are_never_worked_out() -> None:
    text = "N: Nonsense[3] = 3\n\n\ndef step(p: Other) -> 1 / 0:\n    x: Third = N\n"
    for before in ("", "from __future__ import annotations\n"):
        module = read_text(before + text, PATH)
        exec(compile(module.edited_text(), "edited.py", "exec", dont_inherit=True), {})


@pytest.mark.parametrize("path", sorted([*FOLDER.glob("*.py"), *map(find, NAMES)]), ids=lambda path: path.stem)
def test_the_strategies_are_read(path: Path) -> None:
    expected: Mapping[str, tuple[str, ...]] = {
        "donchian_trend": ("highest", "lowest", "volatility"),
        "mean_reversion": ("deviation", "deviation", "adx", "zscore", "deviation"),
        "momentum": ("ewma_volatility",),
        "rsi_reversion": ("rsi", "atr"),
    }
    module = read(path)
    assert tuple(use.word for use in module.indicators) == expected.get(path.stem, ())
    assert module.summary
