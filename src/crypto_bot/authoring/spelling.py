"""How the hidden things are spelled in the edited text. No name of an author begins with `_`, so none can meet them."""

SLICE = "_s"
"""The hidden context: the slice that `step` decides on. Every function of the author takes it first."""

VIEWS = "_x"
"""The views of the kept indicators. Every function of the author takes them second."""

SOURCE, TIMEFRAME = "source", "timeframe"
"""The arguments by name of words: what an indicator is made of, and on which bars."""

FRAMES = "_frames"
"""The module of second timeframes: `close(k, timeframe="1d")` is written `_w.close(_frames.framed(_s, _x.f0), k)`."""

FRAMED = "_g"
"""The slice as it looks in a second timeframe, in the updates of the indicators that are kept on its bars."""

SYMBOL, TURN = "_k", "_q"
"""The symbol, and the turn of a family's loop, in the updates of the indicators."""

WORDS = "_w"
"""The module of the compiled words: `close(k)` is written `_w.close(_s, k)`."""

COUNTED = f"{WORDS}.counted"
"""Goes around what a loop goes over: it counts the turns of a step, and ends the run when there are too many."""

VALUES, BEFORE = "v", "b"
"""The rows of one indicator: `_x.v0[k]` is its value, `_x.b0[k]` the one of the bar before (`ago=1`)."""

HERE = f"{SLICE}.here"
"""The symbols that may be decided on."""

COUNT = f"{SLICE}.count"
"""The number of symbols: those of a loop over a tuple lie in rows of so many: `_x.v0[_j12 * _s.count + (k)]`."""

ALL = f"range({COUNT})"
"""The symbols of a run in which none lacks a bar."""

LENGTH = "_n"
"""The loop variable in the texts of `IndicatorUse` and `Reach`, whatever the author calls it."""


def loop_index(line: int) -> str:
    """Return the name of the index that a loop over a tuple gets when the author did not count along."""
    return f"_j{line}"


def framed(place: int) -> str:
    """Return how the slice is spelled as it looks in a second timeframe, by its number in the list."""
    return f"{FRAMES}.framed({SLICE}, {VIEWS}.f{place})"
