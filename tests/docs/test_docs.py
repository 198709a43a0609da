"""README and the pages of docs/: every link leads somewhere, every command parses, every block runs.

What only takes reading is checked for all pages; the pages named in FOLLOWED are carried out from top to
bottom, each in an empty folder. The tutorial and the strategy language have tests of their own.
"""

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from crypto_bot.backtesting.summary import Summary
from crypto_bot.backtesting.tables import TRADE_COLUMNS
from crypto_bot.cli.flags import add_common_flags
from crypto_bot.cli.frame import CommandParser
from crypto_bot.cli.table import COMMANDS, find
from crypto_bot.config.settings import SECTION_KEYS
from crypto_bot.config.sources import VARIABLES
from crypto_bot.strategies.catalogue import NAMES
from tests.commands import run_all
from tests.docs.test_tutorial import Block, blocks, carry_out

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for pattern in ("*.md", "docs/*.md", "docs/*/*.md") for path in ROOT.glob(pattern)
)
FOLLOWED = (
    "README.md",
    "docs/backtesting.md",
    "docs/configuration.md",
    "docs/data.md",
    "docs/debugging.md",
    "docs/grid.md",
    "docs/risk.md",
    "docs/strategies.md",
)
OURS = (*FOLLOWED, "docs/architecture.md", "docs/tutorial.md", "SECURITY.md", "CHANGELOG.md")

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`\n]+)`")
_CHANGING = re.compile(r"run \d{8}-\d{6}-[0-9a-f]{4}|version \S+|/\S*/")
_PLANNED = re.compile(r"\*\*Commands\*\* that are planned and absent: (.*?)\.\n", re.DOTALL)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that a page's headings get where it is shown."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def dead_links(page: Path, text: str) -> Iterator[str]:
    for link in _LINK.findall(_FENCED.sub("", text)):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        place = page.parent / target if target else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            yield link


@cache
def parser_of(words: str) -> argparse.ArgumentParser:
    command = next(each for each in COMMANDS if each.words == words)
    parser = CommandParser(prog=words, allow_abbrev=False)
    import_module(command.module).add_arguments(parser)
    add_common_flags(parser)
    return parser


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words after `crypto_bot` of every command that a page shows, in a block or in a sentence."""
    shown = [line for block in blocks(text) if block.language == "bash" for line in block.text.splitlines()]
    shown += [code for code in _INLINE.findall(_FENCED.sub("", text)) if "-m crypto_bot" in code]
    for line in shown:
        for part in re.split(r"[;&|]+", line.replace("$(", "").split(" > ")[0]):
            words = shlex.split(part)
            if "crypto_bot" in words:
                yield words[words.index("crypto_bot") + 1 :]


def flags() -> set[str]:
    return {flag for command in COMMANDS for flag in parser_of(command.words)._option_string_actions}


def table(text: str, name: str) -> list[list[str]]:
    """Return the cells of the table between `<!-- name: ... -->` and `<!-- end of name -->`."""
    found = re.search(rf"<!-- {name}:[^\n]*-->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)
    assert found is not None, name
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()[2:]]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert list(dead_links(ROOT / page, text_of(page))) == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One & two\n[a](#one--two) [b](#three) [c](page.md#one--two) [d](gone.md) [e](page.md#x)\n")
    assert list(dead_links(page, page.read_text())) == ["#three", "gone.md", "page.md#x"]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_parses(page: str) -> None:
    for words in command_lines(text_of(page)):
        if words in (["COMMAND", "--help"], ["--version"], ["--help"]):
            continue
        found = find(words, COMMANDS)
        assert found is not None, words
        command, rest = found
        parser = parser_of(command.words)
        if rest and not {"FILE", "FILE..."} & set(rest) and rest != ["--help"]:
            parser.parse_args(rest)
        for word in rest:
            assert not word.startswith("--") or word in (*parser._option_string_actions, "--help"), words


@pytest.mark.parametrize("page", OURS)
def test_every_name_exists(page: str) -> None:
    """Flags, settings and make targets in sentences are those of the program."""
    text = _FENCED.sub("", text_of(page))
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    for code in _INLINE.findall(text):
        for section, key in re.findall(r"\[(\w+)\] (\w+)", code):
            assert key in SECTION_KEYS[section], code
        for section, key in re.findall(r"^(\w+)\.(\w+)=", code):
            assert key in SECTION_KEYS.get(section, ()), code
        for flag in re.findall(r"(?:^| )(--[a-z-]+)", code):
            assert flag in flags(), code
        for target in re.findall(r"^make ([a-z]+)", code):
            assert target in targets, code


def test_the_readme_names_the_strategies_that_ship() -> None:
    text = text_of("README.md")
    shipped = re.search(r"ship: ([^.]*)\.", text)
    assert shipped is not None
    assert re.findall(r"`(\w+)`", shipped[1]) == list(NAMES)


def test_every_strategy_has_its_section_with_an_example() -> None:
    sections = text_of("docs/strategies.md").split("\n## ")[1:]
    assert [section.split("\n")[0] for section in sections] == sorted(NAMES, key=_place_on_the_page)
    for section in sections:
        assert f"```bash\npython -m crypto_bot backtest --strategy {section.split()[0]} " in section
        assert "**Known.** " in section


def _place_on_the_page(name: str) -> int:
    return text_of("docs/strategies.md").find(f"\n## {name}\n")


def test_what_the_readme_calls_absent_is_absent() -> None:
    absent = _PLANNED.search(text_of("README.md"))
    assert absent is not None
    there = {command.words for command in COMMANDS}
    assert not there & set(_INLINE.findall(absent[1]))


def test_the_keys_of_a_backtest_are_told() -> None:
    text = text_of("docs/backtesting.md")
    told = [key for row in table(text, "keys") for key in _INLINE.findall(row[0])]
    assert told == list(Summary.__annotations__)
    columns = re.search(r"<!-- columns:[^\n]*-->\n`([^`]*)`", text)
    assert columns is not None
    assert columns[1].split(",") == list(TRADE_COLUMNS)


def test_the_keys_of_the_settings_are_told() -> None:
    text = text_of("docs/configuration.md")
    told: dict[str, list[str]] = {}
    section = ""
    for row in table(text, "keys"):
        section = row[0] or section
        told.setdefault(section, []).extend(_INLINE.findall(row[1]))
    assert {name: tuple(keys) for name, keys in told.items()} == dict(SECTION_KEYS)
    variables = [(row[0].strip("`"), *re.findall(r"\[(\w+)\] (\w+)", row[1])) for row in table(text, "variables")]
    assert variables == [(name, key) for name, key in VARIABLES]


def test_the_path_of_a_price_names_what_is_there() -> None:
    """Each function in the table of the architecture stands in the file beside it."""
    rows = re.findall(r"^\| \d+ [^|]*\|([^|]*)\|([^|]*)\|$", text_of("docs/architecture.md"), re.MULTILINE)
    assert len(rows) == 10
    for names, files in rows:
        code = "".join((ROOT / "src/crypto_bot" / file).read_text() for file in _INLINE.findall(files))
        for name in _INLINE.findall(names):
            word = name.split(".")[-1]
            assert re.search(rf"\b(?:def|class) _?{word}\b", code), (name, files)


def test_the_pictures_are_small() -> None:
    pictures = list((ROOT / "docs/pictures").iterdir())
    assert {picture.suffix for picture in pictures} == {".png", ".svg"}
    assert all(picture.stat().st_size < 400_000 for picture in pictures)


SAID = (
    "backtest --strategy gird",
    "backtest --symbol DOGE/USDT",
    "backtest --symbol BTC/USDT --from 2030-01-01",
    "backtest --strategy grid --param num_grids=60 --param lower_price=27000 --param upper_price=28000",
    "preflight --set risk.max_drawdown=0.1",
    "run --set data.feed=exchange",
)


def test_the_common_sentences_are_what_is_said(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", text_of("docs/debugging.md"), re.MULTILINE)
    told = [re.compile(".*".join(map(re.escape, row.split("...")))) for row in rows]
    for words, end in zip(SAID, run_all([line.split() for line in SAID], tmp_path), strict=True):
        assert end.status in (2, 3)
        assert any(sentence.search(end.err) for sentence in told), (words, end.err)


def normal(text: str) -> list[str]:
    return [_CHANGING.sub("", line).strip() for line in text.splitlines() if line.strip()]


def prepared(block: Block) -> Block:
    """Return a block as it is carried out in a folder that is no checkout."""
    return block._replace(text="set -e\n" + block.text.replace("source .venv/bin/activate\n", ""))


Done = list[tuple[Block, str]]
"""The blocks of a page that were carried out, each with what it printed."""


def follow(page: str, folder: Path) -> Done:
    """Carry a page out; a block of output shows lines that the block before it printed."""
    for name in ("tests/data/BTCUSDT-1h-2023-03-cut.csv", ".env.example"):
        (folder / Path(name).name).write_bytes((ROOT / name).read_bytes())
    done: Done = []
    for block in blocks(text_of(page)):
        if block.language == "text" and not block.file:
            printed = normal(done[-1][1])
            missing = [line for line in normal(block.text) if line not in printed] if printed else []
            assert missing == [], printed
        elif block.language == "python" and block.file:
            (folder / block.file).write_text(block.text)
        elif block.language == "python":
            done.append((block, carry_out(block, folder)))
        elif block.language == "bash":
            done.append((block, by_hand(block, folder) if block.file else carry_out(prepared(block), folder)))
    return done


def by_hand(block: Block, folder: Path) -> str:
    """Carry out a block that needs more than a shell: a debugger's prompt, a run to halt, a checkout."""
    match block.file:
        case "make":
            return ""
        case "debugger":
            question = "p round(strength, 2), price"
            text = f"{block.text.strip()} 2>&1 <<'END' || true\n{question}\nq\nEND\n"
            said = carry_out(block._replace(text=text), folder)
            return said.replace("(Pdb) ", f"(Pdb) {question}\n", 1)  # as a terminal shows it
        case "halt":
            (folder / "State").mkdir(exist_ok=True)
            return carry_out(prepared(block), folder)
        case "kill":
            return carry_out(block._replace(text=block.text.replace("&\nsleep 10", "2>&1 &\nsleep 6")), folder)
        case "env":
            return carry_out(prepared(block), folder)
    raise AssertionError(f"nobody knows how to follow a block named {block.file}")


def hashes(printed: str) -> list[str]:
    return re.findall(r"decisions ([0-9a-f]{16})", printed)


def one_kernel_gives_one_hash(done: Done) -> None:
    """The README's check: four ways to run the same days, one hash, the one it shows."""
    printed = next(hashes(said) for block, said in done if "replay last" in block.text)
    assert len(printed) == 4
    assert set(printed) == set(hashes(text_of("README.md")))


def killed_and_started_again_it_ends_the_same(done: Done) -> None:
    """The debugging page's run, killed in its middle, ends with the README's hash for the same days."""
    printed = next(said for block, said in done if block.file == "kill")
    assert "going on after" in printed
    assert hashes(printed) == hashes(text_of("README.md"))


SEEN = {"README.md": one_kernel_gives_one_hash, "docs/debugging.md": killed_and_started_again_it_ends_the_same}


@pytest.mark.slow
@pytest.mark.parametrize("page", FOLLOWED)
def test_the_page_can_be_followed(page: str, tmp_path: Path) -> None:
    if page == "docs/debugging.md" and sys.version_info[:3] == (3, 13, 0):
        pytest.skip("the debugger of Python 3.13.0 keeps the flags of a module it starts to itself, as the page says")
    if page == "docs/debugging.md":  # it looks into a run that somebody has made
        begin = "python -m crypto_bot run --to 2023-03-21 --speed 0 --no-api"
        carry_out(Block("bash", "", begin, (0, 0)), tmp_path)
    done = follow(page, tmp_path)
    if page in SEEN:
        SEEN[page](done)


def test_make_targets_in_blocks_exist() -> None:
    for page in PAGES:
        for block in blocks(text_of(page)):
            for target in re.findall(r"^make ([a-z]+)", block.text, re.MULTILINE):
                done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
                assert done.returncode == 0, target
