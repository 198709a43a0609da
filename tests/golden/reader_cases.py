"""The usual mistakes of authors, each as a change to a good strategy, and what is given for parameters."""

GOOD = '''"""A good strategy."""
from crypto_bot.strategy import BUY, Memory, NamedTuple, bracket, change, close, ema, position, quote, rank, rsi, sma
from crypto_bot.strategy import symbols, target, Literal

LEVELS = (0.5, 1.0)


class Params(NamedTuple):
    fast: int = 20
    slow: int = 100
    fraction: float = 1.0
    on: bool = True
    lengths: tuple[int, ...] = (5, 10)
    spacing: Literal["arithmetic", "geometric"] = "arithmetic"


def check(p):
    assert p.fast < p.slow, "fast must be below slow"


def memory(p):
    return dict(held=0, score=0.0, stops=[0.0] * len(p.lengths))


def share(k, p, scale=1.0):
    return p.fraction * scale


def step(p, m):
    for k in symbols():
        target(k, p.fraction if sma(k, p.fast) > sma(k, p.slow) else 0.0)
'''

_BODY = "target(k, p.fraction if sma(k, p.fast) > sma(k, p.slow) else 0.0)"
_INDENT = "\n        "

LINES: dict[str, str] = {
    # words and names
    "unknown word": "target(k, 1.0 if closs(k) > 5 else 0)",
    "word without its call": "target(k, close)",
    "own function without its call": "target(k, share)",
    "word with brackets": "target(k, 1.0 if close[0] > 5 else 0)",
    "no argument": "target(k)",
    "too many arguments": "target(k, 1.0, 0.1, 5)",
    "wrong keyword": "target(k, size=1.0)",
    "keyword twice": "target(k, 0.5, fraction=1.0)",
    "stars before an argument": "target(*p.lengths)",
    "two stars before an argument": "target(k, **p)",
    "wish as a value": "x = target(k, 1.0)",
    "function of a library": "target(k, math.sqrt(2.0))",
    "numpy": "target(k, np.mean(p.lengths))",
    "method of a tuple": "target(k, p.lengths.index(5))",
    "method of text": "x = close(k).hex()",
    "result of a result": "target(k, share(k, p)(2))",
    # parameters and memory
    "unknown parameter": "target(k, p.fracton)",
    "parameter written": "p.fast = 3",
    "parameter counted up": "p.fast += 3",
    "p given another value": "p = 3",
    "p under another name": "q = p",
    "unknown memory": "m.hold[k] = 1",
    "memory without a symbol": "m.held = 3",
    "memory counted up without a symbol": "m.held += 3",
    "memory of one number with two places": "m.held[k, 1] = 3",
    "memory of many numbers with one place": "m.stops[k] = 3.0",
    "memory under another name": "q = m.score",
    "memory handed over": "target(k, share(m.score, p))",
    "memory as a number": "target(k, m.score)",
    "decimal into whole memory": "m.held[k] = close(k) / 2",
    "decimal added to whole memory": "m.held[k] += 0.5",
    "decimal of an own function into whole memory": "m.held[k] = share(k, p)",
    "decimal that comes round a loop": (
        f"x = 0{_INDENT}for j in range(3):{_INDENT}    m.held[k] = x{_INDENT}    x = x + 0.5"
    ),
    "decimal of an own function that also gives whole numbers": (
        f"m.held[k] = twice(2){_INDENT}m.held[k] = twice(0.5)\n\n\ndef twice(x):\n    return x * 2"
    ),
    "tuple into memory": "m.score[k] = p.lengths",
    "bars written": "close[k] = 3.0",
    # named choices
    "choice that is never so": 'target(k, 1.0 if p.spacing == "geometrical" else 0.0)',
    "choice as a number": "target(k, p.spacing)",
    "choice compared with a number": "target(k, 1.0 if p.spacing == 1 else 0.0)",
    "choice in order": 'target(k, 1.0 if p.spacing > "arithmetic" else 0.0)',
    "choice between two": 'target(k, 1.0 if "arithmetic" == p.spacing == "geometric" else 0.0)',
    "choice as a condition": "target(k, 1.0 if p.spacing else 0.0)",
    "choice under another name": "x = p.spacing",
    "choice handed over": "target(k, share(p.spacing, p))",
    # numbers
    "decimal length": "target(k, 1.0 if sma(k, p.fraction) > 1 else 0)",
    "decimal symbol": "target(k / 2, 1.0)",
    "decimal index": "m.score[k / 2] = 1.0",
    "flag as an index": "m.score[p.on] = 1.0",
    "decimal range": f"for j in range(p.fraction):{_INDENT}    target(k, 1.0)",
    "index of a tuple": "target(k, LEVELS[2])",
    "tuple as a number": "target(k, p.lengths)",
    "tuple compared": "target(k, 1.0 if p.lengths > 3 else 0.0)",
    "flags added": "target(k, ((close(k) > 1) + (close(k) > 2)) / 2)",
    "flags or numbers added": f"x = p.on or 0.5{_INDENT}target(k, x + (close(k) > 2))",
    "flag with a sign": "target(k, -p.on)",
    "flag as a decimal": "target(k, float(p.on))",
    "decimals with &": "target(k, 1.0 if (close(k) > 5) & p.fraction else 0.0)",
    "number too large": "target(k, 100000000000000000000)",
    "imaginary number": "target(k, 1j)",
    "nothing": "x = None",
    "text": 'x = "long"',
    "text with braces": 'x = f"{k}"',
    "dots": "target(k, ...)",
    "one number for max": "target(k, max(p.fraction))",
    "tuple for abs": "target(k, abs(p.lengths))",
    "length of memory": "target(k, len(m.score))",
    "name before an argument of Python's": "target(k, max(1.0, key=2))",
    "two kinds in one name": f"x = (1, 2){_INDENT}x = 3.0",
    "two kinds in one choice": "x = 3.0 if p.on else (1, 2)",
    "tuple of two kinds in a loop": f"for x in (1, 2.5):{_INDENT}    target(k, x)",
    "tuple of two kinds picked from": f"x = (1, 2.5){_INDENT}target(k, x[k])",
    "more values than names": "a, b = 1, 2, 3",
    "names for one value": "a, b = close(k)",
    "empty tuple": "x = ()",
    # bars of the past, and of the future
    "future bar": "target(k, 1.0 if close(k, -1) > close(k) else 0)",
    "reaching for the bars": "target(k, s.bars[0, 5, k])",
    "reaching behind a word": "target(k, close.__globals__)",
    "how far is not known": f"n = 7 + m.held[k]{_INDENT}target(k, 1.0 if close(k, n) > 0 else 0)",
    "length from a variable": f"n = 5 + m.held[k]{_INDENT}target(k, ema(k, n))",
    "length from a counted loop": f"for n in range(2, 5):{_INDENT}    target(k, ema(k, n))",
    "length from two loops": (
        f"for a in p.lengths:{_INDENT}    for b in p.lengths:{_INDENT}        target(k, ema(k, a + b))"
    ),
    "ago of an indicator": "target(k, 1.0 if rsi(k, 14, ago=5) > 3 else 0)",
    "ago of an indicator from a parameter": "target(k, 1.0 if rsi(k, 14, ago=p.fast) > 3 else 0)",
    "source from a variable": f"y = close(k){_INDENT}target(k, ema(k, 9, source=y))",
    "source of the account": "target(k, ema(k, 9, source=equity()))",
    "source of memory": "target(k, ema(k, 9, source=m.score[k]))",
    "source of an own function": "target(k, ema(k, 9, source=share(k, p)))",
    "source of another symbol": f"for j in symbols():{_INDENT}    target(k, ema(k, 9, source=close(j)))",
    "source without its name": "target(k, ema(k, 9, 0, close(k)))",
    "source of a bar of the future": "target(k, ema(k, 9, source=close(k, -1)))",
    "source for a word that takes none": "target(k, close(k, source=3))",
    "source that is a tuple": "target(k, ema(k, 9, source=p.lengths))",
    "width that changes": "from_ = close(k)\n        target(k, bollinger_upper(k, 20, from_))",
    "timeframe that is none": "target(k, 1.0 if sma(k, 5, timeframe='day') > 5 else 0.0)",
    "timeframe of a number": "target(k, 1.0 if sma(k, 5, timeframe=p.fast) > 5 else 0.0)",
    "timeframe of a choice of other names": "target(k, 1.0 if sma(k, 5, timeframe=p.spacing) > 5 else 0.0)",
    "timeframe in a source of another": "target(k, ema(k, 9, source=close(k, timeframe='1d'), timeframe='4h'))",
    "timeframe and an unknown reach": "target(k, 1.0 if close(k, m.held[k], timeframe='1d') > 5 else 0.0)",
    "rank of whole numbers": "target(k, rank(m.held, k))",
    "rank of many numbers": "target(k, rank(m.stops, k))",
    "rank of one number": "target(k, rank(m.score[k], k))",
    # names
    "variable shadows a word": "close = 5.0",
    "variable shadows a function of Python": "max = 5.0",
    "variable shadows an own function": "share = 5.0",
    "variable shadows a constant": "LEVELS = 5.0",
    "hidden name": "_s = 5",
    "before it gets a value": f"target(k, x){_INDENT}x = 1.0",
    "value in one branch": f"if close(k) > 5:{_INDENT}    y = 1.0{_INDENT}target(k, y)",
    "value in a loop": f"for j in range(3):{_INDENT}    y = 1.0{_INDENT}target(k, y)",
    "added to no value": f"if close(k) > 5:{_INDENT}    y = 1.0{_INDENT}y += 1.0",
    "loop over a counted name": f"for k in p.lengths:{_INDENT}    target(k, 1.0)",
    "counted name changed": "k = 0",
    # Python that is not possible
    "power": "target(k, close(k) ** 2)",
    "power in place": f"x = 2.0{_INDENT}x **= 2",
    "matrix product": "target(k, p.lengths @ p.lengths)",
    "matrix product of numbers": "target(k, p.fraction @ p.fraction)",
    "shift": "m.held[k] = 1 << k",
    "bitwise not": "target(k, ~m.held[k])",
    "membership": "target(k, 1.0 if k in (1, 2) else 0.0)",
    "identity": "target(k, 1.0 if p.on is True else 0.0)",
    "list": "x = [1, 2]",
    "dictionary": 'x = {"a": 1}',
    "set": "x = {1, 2}",
    "list comprehension": "x = [close(j) for j in symbols()]",
    "generator": "x = max(close(j) for j in symbols())",
    "lambda": "f = lambda x: x",
    "assignment inside": "target(k, (y := 1.0))",
    "print": "print(close(k))",
    "round": "target(k, round(close(k), 2))",
    "sum": "target(k, sum(LEVELS))",
    "sorted": "x = sorted(LEVELS)",
    "zip": f"for a, b in zip(LEVELS, p.lengths):{_INDENT}    target(k, a)",
    "while": f"while True:{_INDENT}    pass",
    "try": f"try:{_INDENT}    target(k, 1.0){_INDENT}except ZeroDivisionError:{_INDENT}    pass",
    "with": f"with close(k):{_INDENT}    pass",
    "match": f"match k:{_INDENT}    case 0:{_INDENT}        pass",
    "raise": "raise ValueError",
    "assert": "assert k > 0",
    "del": "del m.held",
    "global": "global LEVELS",
    "import inside": "import numpy",
    "function inside": f"def f(x):{_INDENT}    return x",
    "class inside": f"class C:{_INDENT}    pass",
    "slice": "target(k, m.score[0:3])",
    "else after a loop": f"for j in range(3):{_INDENT}    pass{_INDENT}else:{_INDENT}    pass",
    "loop over a number": f"for j in p.fast:{_INDENT}    pass",
    "loop over memory": f"for x in m.stops:{_INDENT}    pass",
    "loop into memory": f"for m.held[k] in range(3):{_INDENT}    pass",
    "enumerate without two names": f"for j in enumerate(p.lengths):{_INDENT}    pass",
    "enumerate from one": f"for j, n in enumerate(p.lengths, 1):{_INDENT}    pass",
    "enumerate as a value": "x = enumerate(p.lengths)",
    "comparison for an assignment": "m.held[k] == 3",
    "line without effect": "close(k) > 3",
    "value of step": "return 5",
    "call of step": "step(p, m)",
    "call of memory": "memory(p)",
    "missing bracket": "target(k, (1.0",
    "break outside of a loop": "target(k, 1.0)\n    break",
}
"""The line of step that is put in place of the good one."""

_STEP = "def step(p, m):"
_OWN = "def share(k, p, scale=1.0):\n    return p.fraction * scale"
_HELD = "return dict(held=0, score=0.0, stops=[0.0] * len(p.lengths))"

CHANGES: dict[str, tuple[str, str]] = {
    # the top level
    "other library": (
        "from crypto_bot.strategy import symbols",
        "import pandas as pd\nfrom crypto_bot.strategy import symbols",
    ),
    "library of Python": ("LEVELS =", "from math import exp\n\nLEVELS ="),
    "word that does not exist": ("import symbols, target", "import symbols, target, smaa"),
    "word under another name": ("import symbols, target", "import symbols as everything, target"),
    "neighbour file": ("LEVELS =", "from .other import share_of\n\nLEVELS ="),
    "no step": (_STEP, "def stepp(p, m):"),
    "step with another argument": (_STEP, "def step(p, m, k):"),
    "step without memory": (_STEP, "def step(p):"),
    "memory under another name in step": (_STEP, "def step(p, memory):"),
    "variable at the top": ("LEVELS =", "counter = 0\nLEVELS ="),
    "two variables at the top": ("LEVELS =", "A, B = 1, 2\nLEVELS ="),
    "code at the top": ("LEVELS =", "for j in range(3):\n    pass\nLEVELS ="),
    "list as a constant": ("LEVELS = (0.5, 1.0)", "LEVELS = [0.5, 1.0]"),
    "text as a constant": ("LEVELS = (0.5, 1.0)", "LEVELS = 'half'"),
    "constant of an unknown name": ("LEVELS = (0.5, 1.0)", "LEVELS = (0.5, HALF)"),
    "constant of a word": ("LEVELS = (0.5, 1.0)", "LEVELS = close(0)"),
    "constant that divides by zero": ("LEVELS = (0.5, 1.0)", "LEVELS = (0.5, 1 / 0)"),
    "constant too large": ("LEVELS = (0.5, 1.0)", "LEVELS = 2 ** 80"),
    "constant that opens a file": ("LEVELS = (0.5, 1.0)", "LEVELS = open('/etc/passwd')"),
    "constant twice": ("LEVELS =", "LEVELS = 3\nLEVELS ="),
    "constant called as a word": ("LEVELS =", "BUY = 3\nLEVELS ="),
    "another class": ("class Params(NamedTuple):", "class Settings(NamedTuple):"),
    "function twice": (_OWN, f"{_OWN}\n\n\n{_OWN}"),
    # settings
    "timeframe in words": ("LEVELS =", 'timeframe = "daily"\nLEVELS ='),
    "timeframe worked out": ("LEVELS =", 'timeframe = "1" + "d"\nLEVELS ='),
    "timeframe as a parameter of a number": ("on: bool = True", "timeframe: int = 20"),
    "timeframe as a choice of other names": ("spacing: Literal[", "timeframe: Literal["),
    "timeframe twice": (
        "LEVELS = (0.5, 1.0)\n\n\nclass Params(NamedTuple):",
        "timeframe = '1d'\n\n\nclass Params(NamedTuple):\n    timeframe: Literal['1h', '1d'] = '1d'",
    ),
    "timeframe as a parameter of a strategy that wakes for fills": (
        "LEVELS = (0.5, 1.0)\n\n\nclass Params(NamedTuple):",
        "wake = 'fills'\n\n\nclass Params(NamedTuple):\n    timeframe: Literal['1h', '1d'] = '1d'",
    ),
    "wake in words": ("LEVELS =", 'wake = "daily"\nLEVELS ='),
    "warm-up of nothing": ("LEVELS =", "warmup = 0\nLEVELS ="),
    "indicator in a strategy that wakes for fills": (_BODY, "target(k, ema(k, 5))\n\n\nwake = 'fills'"),
    "wake worked out as a number": ("LEVELS =", "def wake(p):\n    return p.slow\n\n\nLEVELS ="),
    "wake that fails": ("LEVELS =", "def wake(p):\n    return 1 / 0\n\n\nLEVELS ="),
    "wake twice": ("LEVELS =", "wake = 'fills'\n\n\ndef wake(p):\n    return 'fills'\n\n\nLEVELS ="),
    "wake that asks the market": (
        "LEVELS =",
        "def wake(p):\n    return 'bars' if close(0) > 1 else 'fills'\n\n\nLEVELS =",
    ),
    "indicator where wake may say fills": (_BODY, "target(k, ema(k, 5))\n\n\ndef wake(p):\n    return 'bars'"),
    "timeframe of a strategy that wakes for fills": ("LEVELS =", 'wake = "fills"\ntimeframe = "1d"\nLEVELS ='),
    # parameters
    "parameter without a default": ("slow: int = 100", "slow: int"),
    "parameter without a kind": ("slow: int = 100", "slow = 100"),
    "parameter of text": ("fast: int = 20", "fast: str = 'ema'"),
    "default of text": ("fast: int = 20", "fast: int = 'ema'"),
    "whole parameter with a decimal default": ("slow: int = 100", "slow: int = 0.5"),
    "tuple parameter with one number": ("lengths: tuple[int, ...] = (5, 10)", "lengths: tuple[int, ...] = 5"),
    "empty tuple parameter": ("lengths: tuple[int, ...] = (5, 10)", "lengths: tuple[int, ...] = ()"),
    "choice without its import": ("target, Literal", "target"),
    "choice with another default": ('= "arithmetic"', '= "linear"'),
    "choice with a number": ("slow: int = 100", 'slow: Literal[1, "two"] = 1'),
    "choice with one name twice": ("slow: int = 100", 'slow: Literal["one", "one"] = "one"'),
    "parameter twice": ("slow: int = 100", "fast: int = 100"),
    "hidden parameter": ("slow: int = 100", "_slow: int = 100"),
    "method in Params": ("    on: bool = True", "    on: bool = True\n\n    def both(self):\n        return 1"),
    "another base": ("class Params(NamedTuple):", "class Params:"),
    "no NamedTuple": ("BUY, Memory, NamedTuple, ", "BUY, Memory, "),
    # memory and check
    "memory of text": (_HELD, "return dict(held='no')"),
    "memory of nothing": (_HELD, "return dict(held=None)"),
    "empty memory list": (_HELD, "return dict(held=[])"),
    "memory of lists": (_HELD, "return dict(held=[[1], [2]])"),
    "memory as a list": (_HELD, "return [0, 1]"),
    "memory with a hidden name": (_HELD, "return {'_held': 0}"),
    "memory with a strange name": (_HELD, "return {'held back': 0}"),
    "memory too large": (_HELD, "return dict(held=2 ** 70)"),
    "memory of an unknown parameter": (_HELD, "return dict(held=p.hold)"),
    "memory that divides by zero": (_HELD, "return dict(held=1 // 0)"),
    "word in memory": (_HELD, "return dict(held=close(0))"),
    "import in check": ("    assert p.fast", "    import os\n    assert p.fast"),
    "file in check": ("    assert p.fast", "    open('/etc/passwd')\n    assert p.fast"),
    "way out of check": ("    assert p.fast", "    ().__class__.__base__\n    assert p.fast"),
    "check without parameters": ("def check(p):", "def check():"),
    # own functions
    "own function shadows a word": (_OWN, "def sma(k, p):\n    return 1.0"),
    "own function shadows Python's": (_OWN, "def max(k, p):\n    return 1.0"),
    "own argument shadows a word": (_OWN, "def share(close, p):\n    return 1.0"),
    "own function called p": (_OWN, "def p(k):\n    return 1.0"),
    "own function calls itself": (_OWN, "def share(k, p):\n    return share(k, p)"),
    "own functions in a circle": (
        _OWN,
        "def share(k, p):\n    return other(k)\n\n\ndef other(k):\n    return share(k, 1)",
    ),
    "own function without p": (_OWN, "def share(k):\n    return p.fraction"),
    "p missing in a call": (_BODY, "target(k, share(k))"),
    "number handed over as p": (_BODY, "target(k, share(k, 3))"),
    "p handed over as a number": (_BODY, "target(k, share(p, p))"),
    "value in some ways only": (_OWN, "def share(k, p):\n    if k > 2:\n        return 1.0"),
    "value here, nothing there": (_OWN, "def share(k, p):\n    if k > 2:\n        return\n    return 1.0"),
    "values of two kinds": (_OWN, "def share(k, p):\n    if k > 2:\n        return 1.0, 2.0\n    return 1.0"),
    "value of a function that gives none": (_BODY, "target(k, note(k))\n\n\ndef note(k):\n    hold(k, 1.0)"),
    "whole memory given back": (_OWN, "def share(k, p):\n    return p"),
    "stars between arguments": (_OWN, "def share(k, *more):\n    return 1.0"),
    "decorator": (_OWN, f"@cached\n{_OWN}"),
    "async": (_OWN, f"async {_OWN}"),
    "yield": (_OWN, "def share(k, p):\n    yield 1.0"),
    "default that is no number": (_OWN, "def share(k, p, scale='half'):\n    return 1.0"),
}
"""A part of the good strategy, and what stands in its place."""

GIVEN: dict[str, dict[str, object]] = {
    "unknown parameter": {"fats": "3"},
    "fraction for a whole number": {"fast": 2.5},
    "fraction in text for a whole number": {"fast": "2.5"},
    "word for a number": {"fast": "many"},
    "nothing for a number": {"fast": ""},
    "flag for a number": {"fast": True},
    "tuple for a number": {"fast": (1, 2)},
    "not a number": {"fraction": float("nan")},
    "infinite": {"fraction": "inf"},
    "too large": {"fast": 2**53 + 1},
    "word for a flag": {"on": "maybe"},
    "number for a flag": {"on": 2},
    "name that is no choice": {"spacing": "geometrical"},
    "number for a choice": {"spacing": 1},
    "nothing for a choice": {"spacing": ""},
    "empty tuple": {"lengths": "()"},
    "fraction in a tuple": {"lengths": "5,7.5"},
    "word in a tuple": {"lengths": "5,ten"},
    "refused by check": {"fast": 200},
    "a very long word": {"fast": "x" * 200},
}
"""What is given for the parameters of the good strategy."""


def text_of(name: str) -> str:
    """Return the text of a case."""
    if name in LINES:
        return GOOD.replace(_BODY, LINES[name])
    old, new = CHANGES[name]
    if old not in GOOD:
        raise AssertionError(f"{name}: {old!r} is not in the good strategy")
    return GOOD.replace(old, new, 1)
