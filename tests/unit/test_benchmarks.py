"""Every workload of the benchmarks on a few bars: what it computes, never how long it takes."""

import ast
import sys
from math import isnan
from pathlib import Path

import pytest

from benchmarks import load, ours, reference
from benchmarks import workloads as work
from benchmarks.contest import ROOT, Contestant, Result, contest
from benchmarks.processes import Life, live
from benchmarks.runs import RUNS, SHIPPED, Run
from benchmarks.stand import Score, Span, Task
from benchmarks.tables import agreement, comparison, markdown, plain
from benchmarks.verdicts import REFERENCE_NS, Absolute, Ratio, absolutes, pace, ratios
from crypto_bot.strategies.catalogue import NAMES

BARS = 4_000


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("bars")
    work.write(folder, BARS)
    return Task(folder, BARS, 1)


def run(name: str, task: Task) -> Score:
    return ours.backtest(RUNS[name], task)[0]


# ---- the data


def test_the_first_year_is_the_one_that_the_expected_fills_belong_to(tmp_path: Path) -> None:
    work.write(tmp_path, work.YEAR, symbols=1)
    assert work.digest(tmp_path) == work.FIRST_CLOSES


def test_every_bar_opens_at_the_close_before_and_holds_its_prices(task: Task) -> None:
    for number in range(work.SYMBOLS):
        candles = ours.candles(task, number)
        assert (candles.open[1:] == candles.close[:-1]).all()
        assert (candles.low <= candles.open).all() and (candles.low <= candles.close).all()
        assert (candles.high >= candles.open).all() and (candles.high >= candles.close).all()
        assert len(candles) == BARS


def test_a_thousand_pairs_are_a_thousand() -> None:
    assert len(set(work.PAIRS)) == 1_000
    assert all(fast < slow for fast, slow in work.PAIRS)


# ---- our side


def test_the_cross_trades_as_the_hand_written_one_does(task: Task) -> None:
    """The reference shares nothing with the kernel but the rule."""
    mine, limit = run("W1", task), reference.cross(task)
    assert mine.fills == limit.fills > 40
    assert mine.equity == pytest.approx(limit.equity, rel=1e-8)


def test_the_cross_is_the_same_at_every_bar_and_as_a_class(task: Task) -> None:
    mine = run("W1", task)
    for other in (run("W1 every bar", task), run("class", task)):
        assert (other.fills, other.equity, other.note) == (mine.fills, mine.equity, mine.note)


def cells(task: Task) -> tuple[int, float]:
    """Run the grid of W3 cell by cell, in floats: each buys at its lower line and sells at its upper one."""
    opened, high, low, close, _ = work.columns(task.folder)
    sells = [False] * work.GRID_CELLS
    fills, cash, held = 0, float(work.GRID_CASH), 0.0
    for i in range(1, close.size):
        for cell in range(work.GRID_CELLS):
            line = work.LINES[cell + 1] if sells[cell] else work.LINES[cell]
            if not (high[i] >= line if sells[cell] else low[i] <= line):
                continue
            price = max(opened[i], line) if sells[cell] else min(opened[i], line)
            side = -1 if sells[cell] else 1
            cash -= side * price * work.GRID_QUANTITY + price * work.GRID_QUANTITY * work.FEE
            held += side * work.GRID_QUANTITY
            fills, sells[cell] = fills + 1, not sells[cell]
    return fills, cash + held * float(close[-1])


def test_the_grid_trades_as_its_cells_do(task: Task) -> None:
    fills, equity = cells(task)
    mine = run("W3", task)
    # The first purchase is one order, and a cell of its own for each line above the price.
    assert mine.fills == fills - work.GRID_CELLS // 2 + 1
    assert mine.equity == pytest.approx(equity, abs=1e-6)


def test_ten_symbols_share_the_cash(task: Task) -> None:
    mine = run("W4", task)
    assert mine.bars == BARS * work.SYMBOLS
    assert mine.fills > 5 * run("W1", task).fills


def test_the_sweep_counts_the_pairs_that_everybody_runs(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PAIRS", work.PAIRS[:40])
    mine = ours.pairs(task)
    assert mine.bars == BARS * 40
    shared = work.PAIRS[:: work.SHARE_OF_PAIRS]
    runs = [Run("simple_ma", {"fast": fast, "slow": slow}) for fast, slow in shared]
    scores = [ours.backtest(each, task)[0] for each in runs]
    assert mine.fills == sum(score.fills for score in scores)
    assert mine.equity == pytest.approx(sum(score.equity for score in scores))


def test_what_idles_never_trades_and_what_flips_always_does(task: Task) -> None:
    assert run("idle", task).fills == run("idle every bar", task).fills == run("no flips", task).fills == 0
    score, outcome = ours.backtest(RUNS["flips"], task)
    assert score.fills == BARS // 8 - 1  # the last one finds no next open
    assert (outcome.refused, outcome.warnings) == (0, ())


def test_limits_are_watched_and_never_trip(task: Task) -> None:
    for name in RUNS:
        outcome = ours.backtest(RUNS[name], task)[1]
        assert outcome.assumptions.limits == "config"
        assert not outcome.warnings


@pytest.fixture(scope="module")
def three_weeks(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("weeks")
    work.write(folder, 21 * 1_440)
    return Task(folder, 21 * 1_440, 1)


@pytest.mark.parametrize("name", list(SHIPPED))
def test_a_strategy_that_ships_makes_a_thousand_fills_a_year(name: str, three_weeks: Task) -> None:
    assert name == SHIPPED[name].strategy and name in NAMES
    score, outcome = ours.backtest(SHIPPED[name], three_weeks)
    warm = {"cross_section_momentum": 3, "donchian_trend": 16, "momentum": 12}.get(
        name, 0
    )  # days before the first decision
    assert score.fills >= 1_000 / 365 * (21 - warm - 1)
    assert not outcome.warnings


def test_a_hundred_coins_are_chosen_among_for_five_years() -> None:
    score = ours.coins(Task(Path(), 0, 1))
    assert score.bars == 100 * 1_826
    assert score.fills > 1_000


def test_both_clocks_are_read() -> None:
    began = ours.Moment.now()
    passed = ours.Moment.now() - began
    assert passed >= 0 and passed.cpu >= 0


# ---- the contest


def test_contestants_take_turns(task: Task) -> None:
    mine = Contestant("ours", Path(sys.executable), ROOT / "benchmarks" / "ours.py")
    try:
        results = contest([mine], ["W1", "W1 curve", "idle"], task.folder, bars=BARS, passes=2, repeats=2)
    finally:
        mine.stop()
    assert [result.workload for result in results] == ["W1", "idle"]
    assert [len(score.spans) for score in results[0].scores] == [2, 2]
    assert results[0].last.fills == run("W1", task).fills
    assert results[0].bars_per_cpu_second > 0


def test_the_memory_of_a_process_is_its_own() -> None:
    ballast = bytearray(120 << 20)
    small = live([sys.executable, "-c", "pass"])
    large = live([sys.executable, "-c", "x = bytearray(80 << 20)"])
    assert small.peak_mib < 60 < 80 < large.peak_mib < len(ballast) >> 20
    with pytest.raises(RuntimeError, match="status 3"):
        live([sys.executable, "-c", "raise SystemExit(3)"])


def test_peers_are_measured_without_us() -> None:
    scripts = [*(ROOT / "benchmarks" / "peer_runs").glob("*.py"), ROOT / "benchmarks/workloads.py"]
    assert len(scripts) >= 5
    for script in [*scripts, ROOT / "benchmarks/stand.py"]:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("crypto_bot") for name in names), script.name


# ---- the verdicts


def result(contestant: str, workload: str, rate: float, fills: int = 0, equity: float = 0.0) -> Result:
    spans = [Span(2.0, 1.0), Span(4.0, 2.0), Span(2.0, 1.0)]
    return Result(contestant, workload, [Score(int(rate), spans, fills, equity)])


def test_a_ratio_meets_its_requirement_or_does_not() -> None:
    mine, slow, fast = result("ours", "W1", 40e6), result("vectorbt", "W1", 10e6), result("raptorbt", "W1", 13.4e6)
    compared = {ratio.peer: ratio for ratio in ratios([mine, slow, fast])}
    assert (compared["vectorbt"].by_cpu, compared["vectorbt"].verdict) == (4.0, "yes")
    assert (round(compared["raptorbt"].by_cpu, 2), compared["raptorbt"].verdict) == (2.99, "NO")
    assert mine.bars_per_wall_second == 20e6
    assert mine.spread == 1.0


def test_both_clocks_have_to_agree() -> None:
    found = [
        Ratio("W2", "a", 1.0, 1.0, by_cpu, by_wall, 4.0).verdict for by_cpu in (3.9, 4.0) for by_wall in (3.9, 4.0)
    ]
    assert found == ["NO", "by the wall only", "by the processor only", "yes"]


def test_a_sweep_on_one_processor_is_counted_twice_by_the_wall() -> None:
    mine = result("ours", "W2", 80e6)
    mine.scores[0].threads = 2
    [ratio] = ratios([mine, result("vectorbt", "W2", 10e6)])
    assert (ratio.by_cpu, ratio.by_wall) == (8.0, 4.0)


def test_without_peers_everything_is_not_compared() -> None:
    rows = comparison([], [result("ours", "W1", 40e6)])
    assert rows[1][:3] == ["W1", "40 M", "not compared"]
    assert "not compared" in plain(rows)
    assert markdown(rows).splitlines()[1].count("---") == len(rows[0])


def test_figures_are_told_as_they_are_and_at_the_references_pace() -> None:
    limit = result("ours", "limit", 1e9 / (2 * REFERENCE_NS))
    rates = {"idle": 2e8, "W1 every bar": 2e7, "idle every bar": 4e7, "no flips": 1e8, "flips": 1e7}
    results = [limit, *(result("ours", name, rate) for name, rate in rates.items())]
    results[-1].scores[0].fills = 1_000_000
    lives = {"warm": [Life(1.4, 1.2, 200.0), Life(1.8, 1.6, 230.0), Life(9.0, 1.3, 210.0)]}
    assert round(pace(results), 6) == 2.0
    told = {each.name: each for each in absolutes(results, lives)}
    idle = told["a bar that touches nothing"]
    assert (round(idle.measured, 6), round(idle.at_reference, 6)) == (5.0, 2.5)
    assert (idle.met(idle.measured), idle.met(idle.at_reference)) == ("NO", "yes")
    assert round(told["a full order cycle"].measured, 6) == 900.0
    every = told["advance at every bar, W1"]
    assert (every.met(every.measured), every.met(every.at_reference)) == ("NO", "yes")
    assert told["whole process, warm: wall"].measured == 1.8
    assert told["whole process, warm: most memory"].met(230.0) == "NO"


def test_a_requirement_that_is_just_met_is_met() -> None:
    assert Absolute("x", "s", 1.0, 1.0, 1.0).met(1.0) == "yes"
    assert Absolute("x", "s", 1.0, 1.0, None).met(1.0) == ""


def test_other_fills_than_expected_are_told() -> None:
    right = result("ours", "W1", 1e6, 7_308, 378_449.388)
    wrong = result("vectorbt", "W1", 1e6, 7_309, 378_449.388)
    assert [row[-1] for row in agreement([right, wrong], work.YEAR)[1:]] == ["yes", "differs"]
    assert [row[-1] for row in agreement([right], BARS)[1:]] == [""]


# ---- the API under load


def test_a_fill_is_counted_from_the_commit_that_holds_it_and_one_from_before_is_not() -> None:
    commits = [(3, 1_000_000), (5, 2_000_000), (9, 5_000_000)]
    fills = [(2, 1_500_000), (4, 2_500_000), (5, 4_000_000), (9, 5_000_000), (10, 9_000_000)]
    assert load.fill_latencies(commits, fills) == [0.5, 2.0, 0.0]


def test_shares_are_of_all_values() -> None:
    assert load.share(range(100), 0.5) == 50 and load.share(range(1_000), 0.99) == 990
    assert load.share([3.0], 0.99) == 3.0 and isnan(load.share([], 0.5))
    assert not load.Target("nothing measured", load.share([], 0.5), 5).holds
