"""Laws of the reader: however a thing is written, the edits mean what was written, and no line moves."""

import ast
import io
import keyword
import random
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Module
from crypto_bot.authoring.reader import read_text
from crypto_bot.authoring.vocabulary import WORDS
from tests.rehearsal import as_edited, as_written

FOLDER = Path(__file__).parents[1] / "data" / "strategies"
PATH = Path("mine.py")

MANY_WAYS = '''
"""Own functions, constants, loops over tuples in tuples of names, memory of two kinds."""
from crypto_bot.strategy import *

LEVELS = (0.2, 0.5)
LONGER: int = 2 * 3
warmup = 50


class Params(NamedTuple):
    """What can be changed."""

    lengths: tuple[int, ...] = (2, 3, 7)
    n: int = 14
    on: bool = True
    share: float = 1


def memory(p):
    return dict(seen=0, best=[0.0] * len(p.lengths), score=0.0)


def share(k: int, p: Params, scale: float = LEVELS[0]) -> float:
    """Votes of the means, weighted."""
    total = 0.0
    for n in p.lengths:
        total += scale if close(k) > ema(k, n) else 0.0
        for n2 in (LONGER, 9):
            total += LEVELS[1] if lowest(k, n) < highest(k, n2, ago=1) else -0.01
    return max(total, 0.0)


def channel(k: int, n: int) -> tuple[float, float]:
    return highest_high(k, LONGER + 1) + n, lowest_low(k, max(LONGER, 2), 1)


def note(p, m, k):
    for j, n in enumerate(p.lengths):
        m.best[k, j] = max(m.best[k, j], zscore(k, n) - zscore(k, n, ago=0))
    m.seen[k] += 1 if resting(k, slot=2) else 0


def step(p: Params, m: Memory) -> None:
    """Decide."""
    first, last = 0, count() - 1
    for k in symbols():
        top, bottom = channel(k, 3)
        now: float = share(k, p)
        if not p.on or m.seen[k] > 20 and now < 5:
            continue
        elif top < bottom <= rsi(k, p.n, ago=1) or rsi(int(k + 0), p.n) >= 40:
            target(k, min(now / 10, 1.0), band=0.1)
        else:
            quote(k, 1, BUY if now > LEVELS[1] else SELL, price=close(k, first + 1), quantity=sqrt(p.share) + entry(k))
        m.score[k] = change(k, length=p.n, ago=1) if k != last else -1.5
        note(p, m, k)
    for k in range(count()):
        if rank(m.score, k) < 1:
            bracket(k, stop=m.best[k, -1 + len(p.lengths)], take=close(ago=2, k=k))
'''

TEXTS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.py"))} | {"many_ways": MANY_WAYS}
NOISE = ("", "", "", " ", "\n  ", "  # größe, 価格 ( [ :\n")
QUIET = ("", "", "", " ", "\\\n ")


def lines_of_functions(text: str) -> list[tuple[str, int, int | None]]:
    return [
        (node.name, node.lineno, node.end_lineno)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name not in ("memory", "check")
    ]


def check_edits(module: Module) -> None:
    edited = module.edited_text()
    assert edited.count("\n") == module.source.count("\n")
    assert lines_of_functions(edited) == lines_of_functions(module.source)
    compile(edited, "edited.py", "exec", dont_inherit=True)


class Rewritten(ast.NodeTransformer):
    """Writes arguments of words by name, in any order, and gives locals names that take more than one byte."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in WORDS and self.chance.random() < 0.5:
            names = [argument.name for argument in WORDS[node.func.id].arguments]
            kept = self.chance.randint(0, len(node.args))
            named = [ast.keyword(name, value) for name, value in zip(names[kept:], node.args[kept:], strict=False)]
            node.args, node.keywords = node.args[:kept], [*node.keywords, *named]
            self.chance.shuffle(node.keywords)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name == "step":
            new = {"k": "größe", "top": "価格", "j": "ﬁne", "total": "Ωtotal"}
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and inner.id in new:
                    inner.id = new[inner.id]
        return self.generic_visit(node)


def scattered(text: str, chance: random.Random) -> str:
    """Return the same program with blanks, line ends and comments wherever Python allows them."""
    out, depth, at = [], 0, (1, 0)
    lines = text.splitlines(keepends=True)
    quiet_next, in_def = True, False
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if token.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            out.append(between(lines, at, token.end))
            at, quiet_next, in_def = token.end, True, in_def and token.type != tokenize.NEWLINE
            continue
        in_def = in_def or token.string == "def"
        gap = between(lines, at, token.start)
        quiet = quiet_next or token.type == tokenize.COMMENT
        noise = "" if quiet else chance.choice(NOISE if depth else QUIET)
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        is_name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
        is_argument = bool(out) and out[-1].endswith("(") and following.string != "=" and not in_def
        word = f"({token.string})" if is_name and is_argument else token.string
        out.append(gap + noise + word)
        at, quiet_next = token.end, token.type == tokenize.COMMENT
    return "".join(out)


def between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] > len(lines):
        return ""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = "".join(lines[start[0] : end[0] - 1])
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return lines[start[0] - 1][start[1] :] + middle + last


@pytest.mark.parametrize("name", TEXTS)
def test_edits_mean_what_was_written(name: str) -> None:
    module = read_text(TEXTS[name], PATH)
    check_edits(module)
    log = as_written(module)
    assert len(log) > 20, "the play must show something"
    assert as_edited(module) == log


@settings(max_examples=40)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32))
def test_awkward_ways_of_writing_mean_the_same(name: str, seed: int) -> None:
    chance = random.Random(seed)
    plain = read_text(TEXTS[name], PATH)
    text = ast.unparse(Rewritten(chance).visit(ast.parse(TEXTS[name])))
    awkward = read_text(scattered(text, chance), PATH)
    check_edits(awkward)
    assert as_edited(awkward) == as_edited(plain)
    assert [(use.word, use.length, use.loop) for use in awkward.indicators] == [
        (use.word, use.length, use.loop) for use in plain.indicators
    ]
    assert len(awkward.reaches) == len(plain.reaches)


POOL = (
    *("k", "p", "m", "n", "_s", "0", "-1", "1.5", "True", "'x'", "p.n", "m.score", "close", "ema(k, 3)", "range"),
    *("(", ")", "[", "]", ",", ":", "=", "+", "*", "**", "\n"),
    *("if", "else", "for", "in", "not", "return", "lambda", "def"),
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=250)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32), st.integers(1, 3))
def test_a_broken_text_is_refused_or_works(name: str, seed: int, breaks: int) -> None:
    """Whatever an author mistypes, he reads a sentence, or the edited text compiles and means what he wrote."""
    chance = random.Random(seed)
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO(TEXTS[name]).readline)]
    places = [place for place, token in enumerate(tokens) if token.strip()]
    lines = TEXTS[name]
    for _ in range(breaks):
        old = tokens[chance.choice(places)]
        new = chance.choice((*POOL, "", tokens[chance.choice(places)]))
        spots = [at for at in range(len(lines)) if lines.startswith(old, at)]
        if spots:
            at = chance.choice(spots)
            lines = lines[:at] + new + lines[at + len(old) :]
    try:
        module = read_text(lines, PATH)
    except Mistake as mistake:
        assert 0 <= mistake.line <= lines.count("\n") + 1
        assert "\n" not in mistake.text or "this is not Python" in mistake.text
        return
    check_edits(module)
    try:
        edited, written = as_edited(module), as_written(module)
    except NameError:
        return  # a word that is not imported: the edited text does not need it
    except Mistake:
        return  # a length that the run refuses
    assert edited == written
