"""From an author's module to the text of its walker: the author's lines, edited, and a loop around them.

The walker unpacks the parameters, cuts views of the memory, keeps the indicators up to date, calls
`step` for each bar and returns at the first bar whose wish has changed. Line numbers stay the author's.
"""

from collections.abc import Mapping

from crypto_bot.authoring.module import Cell, Module
from crypto_bot.authoring.parameters import ParameterSet, Value
from crypto_bot.authoring.spelling import HERE
from crypto_bot.authoring.updates import kernel_files, update_lines
from crypto_bot.kernel.context import TABLE

_TAIL = """

# ---- made by the generator from the text above; nothing below is written by hand
from typing import NamedTuple as _NamedTuple
from crypto_bot.kernel import {kernel}
from crypto_bot.kernel.compiled import authored as _authored, compiled as _compiled
from crypto_bot.kernel.layout import WALK_SIGNATURE as _WALK_SIGNATURE
from crypto_bot.kernel.sight import LOOP_SIGNATURE as _LOOP_SIGNATURE, Sight as _Sight, borrow as _borrow, lend as _lend


class _Views(_NamedTuple):
{view_fields}


class _Cells(_NamedTuple):
{cell_fields}


def _update(_s, _x, p, _last):
{updates}


def _loop(_sight, first, stop):
    market, account, memory = _borrow(_sight)
    whole = memory.whole
    real = memory.real
    params = memory.params
    wish = account.wish
    count = wish.size
    warmup = whole[_c.WARMUP]
{asleep}    p = {params}
    _x = _Views({views})
    m = _Cells({cells})
{loop}
    return stop


def _walk(market, first, stop, account, memory):
    return _loop(_lend(_Sight(market, account, memory)), first, stop)


{wraps}
_update = _authored(outer=True)(_update)
_loop = _compiled(_LOOP_SIGNATURE)(_loop)
_walk = _compiled(_WALK_SIGNATURE)(_walk)
"""

_STEP = """{gather}{pad}_here = {here}
{pad}_s = _c.Context({bars}, market.times, {i}, t, {account}, whole, real, count, _here, real[_c.PER_YEAR])
{update}{pad}if {when}:
{met}{pad}    whole[_c.LOOPED] = 0
{pad}    step(_s, _x, p{m})
{pad}    if wish[0]["news"]:
{pad}        _w.clear_news(wish)
{pad}    if wish[0]["any"]{last}:
{pad}        return t + 1"""

_LAST = "(u == market.due.size or market.due[u] != t)"

_EVERY_BAR = "    for t in range({first}, stop):\n{step}"

_OWN_BARS = """    u = whole[_c.NEXT]
    while u < market.due.size and market.due[u] < stop:
        t = market.due[u]
        u += 1
        whole[_c.NEXT] = u
{step}"""

_ASLEEP = """    t = max(first, warmup - 1)
    if t >= stop or (whole[_c.STARTED] and wish[0]["news"] == 0):
        return stop
    whole[_c.STARTED] = 1
"""

_GATHER = """{pad}_n = _gaps.gather({bars}, {i}, whole, count)
"""

_LISTED = "whole[whole[_c.HERE]:whole[_c.HERE] + _n]"

_FIRST_MET = " and whole[whole[_c.HERE] + count] < 0"
"""A strategy that never asks for the symbols trades the first one, by its number: it waits for that one."""

_FILLED_OR_JOINED = """(wish[0]["news"] or whole[_c.JOINED]) and {i} + 1 >= warmup"""


def walker_text(module: Module, params: ParameterSet, *, own: bool, gaps: bool = False) -> str:
    """Return the author's edited text with its walker; only the lengths of tuples depend on `params`.

    With `own` the strategy decides on bars of its own, not on every bar of the run. With `gaps` symbols may lack
    bars: what it is shown always comes as bars of its own then, and symbols() are those of the slice.
    """
    view_fields, views = _view_parts(module)
    updates = update_lines(module, gaps=gaps)
    cell_fields, cells = _cell_parts(module.cells, len(module.indicators))
    on_fills = module.wake_of(params) == "fills"
    sleeps, joined = on_fills and not gaps, on_fills and gaps
    own = gaps or (own and not sleeps)
    pad = "    " if sleeps else "        "
    bars, i = ("market.own", "u - 1") if own else ("market.bars", "t")
    when = _FILLED_OR_JOINED.format(i=i) if joined else f"{i} + 1 >= warmup"
    text = module.edited_text(gaps=gaps)
    if gaps and HERE not in text:
        when += _FIRST_MET
    step = _STEP.format(
        pad=pad,
        bars=bars,
        i=i,
        gather=_GATHER.format(pad=pad, bars=bars, i=i) if gaps else "",
        here=_LISTED if gaps else "range(count)",
        met=f"{pad}    whole[_c.JOINED] = 0\n" if joined else "",
        when=when,
        account="account.equity, account.book, account.subs, wish",
        # Two bars of its own may become known with one bar of the run, after a gap: both count, then the wish does.
        last=f" and {_LAST}" if own else "",
        m=", m" if module.takes_memory else "",
        update=f"{pad}_update(_s, _x, p, {_LAST if own else True})\n" if updates else "",
    )
    frame = "{step}" if sleeps else _OWN_BARS if own else _EVERY_BAR
    # Without indicators nothing needs to see the bars of the warm-up.
    loop = frame.format(step=step, first="first" if updates else "max(first, warmup - 1)")
    files = ["context as _c", "words as _w", *(f"{file} as _{file}" for file in kernel_files(module))]
    files += ["gaps as _gaps"] if gaps else []
    tail = _TAIL.format(
        kernel=", ".join(files),
        view_fields=_lines(view_fields),
        cell_fields=_lines(cell_fields),
        updates="\n".join(updates) or "    pass",
        # Called for every span of quiet bars: nothing is unpacked before it is known that there is something to do.
        asleep=_ASLEEP if sleeps else "",
        params=_unpacked(params),
        views=", ".join(views) or "0",
        cells=", ".join(cells) or "0",
        loop=loop,
        wraps="\n".join(f"{name} = _authored(outer={name == 'step'})({name})" for name in module.functions),
    )
    return text + tail


def _lines(names: list[str]) -> str:
    return "\n".join(f"    {name}: object" for name in names) or "    none: int"


def _unpacked(params: ParameterSet) -> str:
    """Return the expression that rebuilds Params from a flat array of floats."""
    parts: list[str] = []
    at = 0
    for value in params:
        items = value if isinstance(value, tuple) else (value,)
        spelled = [_number(item, at + j) for j, item in enumerate(items)]
        parts.append(f"({', '.join(spelled)},)" if isinstance(value, tuple) else spelled[0])
        at += len(items)
    return f"Params({', '.join(parts)})" if parts else "0"


def _number(value: Value, at: int) -> str:
    if isinstance(value, bool):
        return f"params[{at}] != 0.0"
    return f"int(params[{at}])" if isinstance(value, int | str) else f"params[{at}]"


def _view_parts(module: Module) -> tuple[list[str], list[str]]:
    """Return the names of the views of indicators and second timeframes, and how each is found in the memory."""
    fields: list[str] = []
    views: list[str] = []
    for j in range(len(module.indicators)):
        at = TABLE + 4 * j
        fields += [f"v{j}", f"b{j}", f"a{j}", f"z{j}"]
        views += [f"real[whole[{at + row}]:whole[{at + row + 1}]]" for row in (0, 1)]
        views += [f"whole[{at + 2}]", f"whole[{at + 3}]"]
    behind = TABLE + 4 * len(module.indicators) + len(module.cells) + 1
    fields += [f"f{j}" for j in range(len(module.frames))]
    views += [f"whole[{behind + j}]" for j in range(len(module.frames))]
    return fields, views


def _cell_parts(cells: Mapping[str, Cell], indicators: int) -> tuple[list[str], list[str]]:
    """Return the names of the author's memory and how each view is cut."""
    views: list[str] = []
    for j, cell in enumerate(cells.values()):
        at = TABLE + 4 * indicators + j
        view = f"{'real' if cell.kind == 'float' else 'whole'}[whole[{at}]:whole[{at + 1}]]"
        views.append(view + (f".reshape((count, (whole[{at + 1}] - whole[{at}]) // count))" if cell.count else ""))
    return list(cells), views
