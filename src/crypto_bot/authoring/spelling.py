"""How the hidden things are spelled in the edited text. No name of an author begins with `_`, so none can meet them."""

SLICE = "_s"
"""The hidden context: the slice that `step` decides on. Every function of the author takes it first."""

VIEWS = "_x"
"""The views of the kept indicators. Every function of the author takes them second."""

WORDS = "_w"
"""The module of the compiled words: `close(k)` is written `_w.close(_s, k)`."""

VALUES, BEFORE = "v", "b"
"""The rows of one indicator: `_x.v0[k]` is its value, `_x.b0[k]` the one of the bar before (`ago=1`)."""

COUNT = f"{SLICE}.count"
"""The number of symbols: those of a loop over a tuple lie in rows of so many: `_x.v0[_j12 * _s.count + (k)]`."""

LENGTH = "_n"
"""The loop variable in the texts of `IndicatorUse` and `Reach`, whatever the author calls it."""


def loop_index(line: int) -> str:
    """Return the name of the index that a loop over a tuple gets when the author did not count along."""
    return f"_j{line}"
