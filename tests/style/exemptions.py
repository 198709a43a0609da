"""Where a rule of the house may be broken, each with its reason; an entry nobody needs any more fails the tidy test."""

PARAMETERS: dict[str, dict[str, str]] = {}
"""Functions with more positional parameters than the house allows, by file and name, each with its reason."""

BORDERS: dict[str, str] = {
    "cli/frame.py": "the outermost line of every command",
    "plain/guard.py": "the border between the program and a class of the user's own, which may raise anything",
}
"""Files that may catch every exception: the outermost line of a process, where a crash becomes one sentence."""

RECORDS = "the fields of a numpy record are known to the compiler, not to the type checker"

LOOSE_TYPES: dict[str, str] = {
    "kernel/compiled.py": "numba has no types of its own to pass on",
    "kernel/linking.py": "numba has no types of its own to pass on",
    "kernel/sight.py": "a reference is an address compiled, and the thing itself interpreted",
    "venue/scene.py": "a reference is an address compiled, and the thing itself interpreted",
    "kernel/layout.py": RECORDS,
    "kernel/context.py": RECORDS,
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
