"""The lines of a walker that keep its indicators up to date: at every bar, for every symbol, read or not."""

from collections.abc import Iterator

from crypto_bot.authoring.module import IndicatorUse, Module
from crypto_bot.authoring.spelling import COUNT, FRAMED, FRAMES, LENGTH, SLICE, SYMBOL, TURN, VIEWS, WORDS, framed
from crypto_bot.authoring.warming import function_of
from crypto_bot.kernel.indicators import NEEDS

_PAD = "    "


def update_lines(module: Module, *, gaps: bool) -> list[str]:
    """Return the body of `_update`: second timeframes first, with what is kept on their bars, then the rest.

    With `gaps`, a symbol that is not listed yet is passed over.
    """
    lines: list[str] = []
    if module.frames:
        lines.append(f"{_PAD}_end = {FRAMES}.own_end({SLICE}, _last)")
    for frame in range(len(module.frames)):
        inside = list(_loops(module, frame, FRAMED, 3 * _PAD, gaps=gaps))
        lines += [
            f"{_PAD}for _turn in range(2):",
            f"{2 * _PAD}if {FRAMES}.follow({SLICE}, {VIEWS}.f{frame}, _end, _turn):",
            f"{3 * _PAD}{FRAMED} = {framed(frame)}" if inside else f"{3 * _PAD}pass",
            *inside,
        ]
    return [*lines, *_loops(module, None, SLICE, _PAD, gaps=gaps)]


def kernel_files(module: Module) -> list[str]:
    """Return the kernel's files that the updates call, each once."""
    files = {NEEDS[function_of(use)].file for use in module.indicators}
    if any(use.formula is not None and use.formula.waits for use in module.indicators):
        files.add("averages")
    return sorted(files | ({"frames"} if module.frames else set()))


def _loops(module: Module, frame: int | None, context: str, pad: str, *, gaps: bool) -> Iterator[str]:
    """Yield one loop over the symbols for each rank: what an indicator is made of is up to date for all of them."""
    ranks: dict[int, int] = {}
    for place, use in enumerate(module.indicators):
        if use.frame == frame:
            inner = [ranks[j] for j, _ in (use.formula.uses if use.formula else ()) if j in ranks]
            ranks[place] = max(inner, default=-1) + 1
    for rank in range(max(ranks.values(), default=-1) + 1):
        yield f"{pad}for {SYMBOL} in range({COUNT}):"
        if gaps:
            yield f"{pad + _PAD}if _gaps.is_unlisted({context}, {SYMBOL}):"
            yield f"{pad + 2 * _PAD}continue"
        for place in ranks:
            if ranks[place] == rank:
                yield from _update(module.indicators[place], place, context, pad + _PAD)


def _update(use: IndicatorUse, place: int, context: str, pad: str) -> Iterator[str]:
    """Yield the call that updates one indicator, or a family of them, for one symbol."""
    row = f"{TURN} * {COUNT} + {SYMBOL}" if use.loop else SYMBOL
    state = f"{VIEWS}.a{place} + ({row}) * {VIEWS}.z{place}"
    arguments = [context, SYMBOL]
    if use.length is not None:
        arguments.append(use.length)
    function = function_of(use)
    if NEEDS[function].takes_value:
        arguments.append(use.formula.text if use.formula else f"{WORDS}.close({context}, {SYMBOL})")
    arguments += [f"{VIEWS}.v{place}", f"{VIEWS}.b{place}", row, state]
    if use.loop:
        yield f"{pad}for {TURN}, {LENGTH} in enumerate({use.loop.over}):"
        pad += _PAD
    if use.formula is not None and use.formula.waits:
        yield f"{pad}if _averages.exists({context}, {state}):"
        pad += _PAD
    yield f"{pad}_{NEEDS[function].file}.{function}({', '.join(arguments)})"
