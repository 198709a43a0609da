"""Where a rule of the house may be broken, each with its reason; an entry nobody needs any more fails the tidy test."""

WORLD = "compiled: numba takes no keyword-only arguments, and the world, the venue and the market stay apart"
INDICATOR = "compiled: the generated walker calls every indicator with the same arguments"

PARAMETERS: dict[str, dict[str, str]] = {
    "backtesting/replay.py": dict.fromkeys(("replay", "settle_wish", "_quiet_one", "_quiet_many"), WORLD),
    "backtesting/slices.py": {"close_slice": WORLD},
    "kernel/indicators.py": dict.fromkeys(
        "ema rsi atr _extreme highest lowest highest_high lowest_low volatility ewma_volatility zscore".split(),
        INDICATOR,
    ),
    "kernel/words.py": {"quote": "a word of the strategy language, whose authors write it in one line"},
    "venue/book.py": {"report_order": WORLD},
    "venue/matching.py": dict.fromkeys(
        ("match_slot", "match_at_close", "_trigger_stop_limit", "_match_limit", "_execute"), WORLD
    ),
}
"""Functions with more than five positional parameters, by file and name."""

BORDERS: dict[str, str] = {
    "cli/frame.py": "the outermost line of every command",
}
"""Files that may catch every exception: the outermost line of a process, where a crash becomes one sentence."""

RECORDS = "the fields of a numpy record are known to the compiler, not to the type checker"

LOOSE_TYPES: dict[str, str] = {
    "kernel/compiled.py": "numba has no types of its own to pass on",
    "kernel/layout.py": RECORDS,
    "kernel/context.py": RECORDS,
    "kernel/indicators.py": RECORDS,
    "kernel/words.py": RECORDS,
    "venue/book.py": RECORDS,
    "strategy.py": "the memory of a strategy has the fields that its author names",
}
"""Files outside the edges that may say Any or dict[str, object]."""

GIVEN_NAMES: dict[str, str] = {
    "RiskManager": "the user named it",
    "BotBuilder": "the user named it",
    "StrategyFactory": "the user named it",
    "StopLossHandler": "the user named it",
}
"""Classes that keep an ending the house does not use."""
