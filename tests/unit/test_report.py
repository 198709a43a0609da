"""The report as a file: complete, closed to the network, safe against hostile names, small; and alive in a browser."""

import base64
import hashlib
import html.parser
import json
import re
import resource
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.backtesting.bracket import Bracket, Way
from crypto_bot.backtesting.excursions import Excursions
from crypto_bot.backtesting.figures import MINUS, money, number, percent
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Outcome, RunLabel
from crypto_bot.backtesting.report import page, write_report
from crypto_bot.backtesting.report.content import command_line, content_of, visible
from crypto_bot.backtesting.report.listing import EACH_END, chosen
from crypto_bot.backtesting.report.months import monthly_returns
from crypto_bot.backtesting.report.scatter import MOST_POINTS, scatter_of
from crypto_bot.backtesting.report.series import ALL_BARS, MOST_BARS, candle_charts, equity_line, shown_timeframe
from crypto_bot.backtesting.trips import Trips
from crypto_bot.domain.errors import RunFailed, UsageError
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, DAY_NS
from tests.outcomes import average_run, idle_run

LABEL = RunLabel("20231120-233000-7f3a", "0.1.0", {"fast": 20, "slow": 100})
HOSTILE = (
    "</script><script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\">\u202e=x{{data}}"
)
VENDORED = Path(__file__).parents[2] / "static-dashboard" / "vendor" / "lightweight-charts.js"


class Page(html.parser.HTMLParser):
    """What a browser would load, run and show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.inline:
            self._inside = tag
            self.inline[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline[self._inside][-1] += data


def written(outcome: Outcome, path: Path, label: RunLabel = LABEL) -> str:
    write_report(outcome, measure(outcome), label, path)
    return path.read_text("utf-8")


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Page(text).inline["script"][0])
    return found


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    text = written(average_run(3_000), tmp_path / "report.html")
    parsed = Page(text)
    for tag, attributes in parsed.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            target = attributes.get(name)
            assert target is None or target in {"data:,", "#main"} or (tag, name) == ("a", "href"), (tag, target)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    policy = next(a["content"] or "" for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
    for kind, parts in (("script", parsed.inline["script"][1:]), ("style", parsed.inline["style"])):
        for part in parts:
            digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy, f"an inline {kind} is not allowed by the page's own policy"


def test_the_library_is_inside_unchanged_with_its_attribution(tmp_path: Path) -> None:
    text = written(average_run(500), tmp_path / "report.html")
    library = VENDORED.read_text("utf-8")
    assert library in text
    notice = (VENDORED.parent / "NOTICE").read_text("utf-8")
    assert hashlib.sha256(VENDORED.read_bytes()).hexdigest() in notice
    assert "TradingView Lightweight Charts" in text.replace(library, "")
    assert '<a href="https://www.tradingview.com/"' in text
    assert "attributionLogo: false" in text


def test_without_the_library_the_page_is_still_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "CHARTS", (tmp_path / "absent.js",))
    page.chart_library.cache_clear()
    try:
        text = written(average_run(500), tmp_path / "report.html")
    finally:
        page.chart_library.cache_clear()
    assert "Charts are not part of this file" in text


def test_names_from_outside_stay_text(tmp_path: Path) -> None:
    outcome = replace(average_run(1_500), strategies=(HOSTILE,), warnings=(HOSTILE,))
    text = written(outcome, tmp_path / "report.html", RunLabel(HOSTILE, HOSTILE, {"x": HOSTILE}))
    assert "stolen'</script>" not in text
    assert len(Page(text).inline["script"]) == 3
    found = data_of(text)
    assert found["strategy"] == HOSTILE.replace("\u202e", "\u27e8U+202E\u27e9")
    script = "".join((page.ROOM / name).read_text() for name in ("charts.js", "report.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|setAttribute\(.style", script)


def test_a_year_of_five_minutes_fits_the_budget(tmp_path: Path) -> None:
    outcome = average_run(105_120, timeframe="5m", fast=5, slow=20)
    assert outcome.fills.size > 4_000
    path = tmp_path / "report.html"
    found = data_of(written(outcome, path))
    assert path.stat().st_size < 1_500_000
    assert len(found["charts"][0]["time"]) <= MOST_BARS
    assert len(found["trips"]["rows"]) == 2 * EACH_END < found["trips"]["total"]
    assert len(found["equity"]["time"]) <= 2_001


def test_many_symbols_share_the_room() -> None:
    outcome = average_run(1_200, symbols=[f"C{n:02d}/USDT" for n in range(25)])
    charts = candle_charts(outcome)
    found = content_of(outcome, measure(outcome), LABEL)
    assert (len(charts), found["charts_left_out"]) == (20, 5)
    assert sum(len(chart["time"]) for chart in charts) <= ALL_BARS + 20


def test_joined_bars_keep_extremes_and_every_fill() -> None:
    outcome = average_run(20_000, timeframe="15m")
    (chart,) = candle_charts(outcome)
    candles = outcome.candles[0]
    assert chart["timeframe"] == "2h"
    assert max(chart["high"]) == pytest.approx(int(candles.high.max()) / 100)
    assert min(chart["low"]) == pytest.approx(int(candles.low.min()) / 100)
    assert (chart["open"][0], chart["close"][-1]) == (int(candles.open[0]) / 100, int(candles.close[-1]) / 100)
    assert sum(mark[2] for mark in chart["marks"]) == outcome.fills.size
    first = outcome.fills[0]
    bar = int(chart["marks"][0][0])
    assert chart["time"][bar] * 10**9 <= int(first["time_ns"]) < chart["time"][bar + 1] * 10**9
    step = timeframe_ns("2h") // 10**9
    assert all(t % step == 0 for t in chart["time"])


def test_the_bar_length_is_a_usual_multiple() -> None:
    minute = timeframe_ns("1m")
    assert shown_timeframe(365 * DAY_NS, 5 * minute, 3_000) == 240 * minute
    assert shown_timeframe(10 * DAY_NS, 5 * minute, 3_000) == 5 * minute
    assert shown_timeframe(30 * DAY_NS, 7 * minute, 3_000) == 21 * minute
    assert shown_timeframe(100 * 365 * DAY_NS, DAY_NS, 30) == 1_217 * DAY_NS


def test_the_equity_line_shows_the_deepest_point_and_both_ends() -> None:
    outcome = average_run(30_000, timeframe="5m")
    line, found = equity_line(outcome), measure(outcome)
    assert min(line["fall"]) == pytest.approx(found.drawdown.deepest, abs=1e-5)
    assert (line["bot"][0], line["hold"][0]) == (25_000, 25_000)
    assert line["bot"][-1] == pytest.approx(int(outcome.equity[-1]) / ATOMS, abs=0.01)
    assert line["hold"][-1] / 25_000 - 1 == pytest.approx(found.buy_and_hold_return, abs=1e-6)
    assert len(line["time"]) == len(line["bot"]) == len(line["hold"]) == len(line["fall"])
    assert (np.diff(line["time"]) > 0).all()


def test_months_compound_to_the_whole() -> None:
    outcome = average_run(24 * 700)
    rows = [row for row in monthly_returns(outcome) if not row["hold"]]
    assert [row["year"] for row in rows] == [2023, 2024]
    growth = np.prod([1 + cell["value"] for row in rows for cell in row["months"]])
    assert growth == pytest.approx(int(outcome.equity[-1]) / outcome.initial_equity, rel=5e-3)
    assert rows[1]["months"][11]["text"] == "\u2013"
    january = int(outcome.equity[24 * 31 - 1]) / outcome.initial_equity - 1
    assert rows[0]["months"][0]["value"] == pytest.approx(january, abs=1e-4)


def test_every_round_trip_is_a_point_with_the_columns_of_the_table(tmp_path: Path) -> None:
    outcome = average_run(3_000)
    found, trips = data_of(written(outcome, tmp_path / "report.html")), measure(outcome).books.trips
    points, table = found["scatter"], found["trips"]
    assert points["total"] == len(points["net"]) == len(points["adverse"]) == trips.closed
    at = {name: table["columns"].index(name) for name in ("return", "mae", "mfe")}
    for row, (net, low, high) in enumerate(zip(points["net"], points["adverse"], points["favourable"], strict=True)):
        assert low <= 0 <= high
        shown = [float(table["rows"][row][at[name]].strip("%").replace(MINUS, "-")) for name in at]
        assert shown == pytest.approx([net, low, high], abs=0.006)


def test_thousands_of_points_are_thinned_evenly() -> None:
    trips, count = measure(average_run(3_000)).books.trips, 5 * MOST_POINTS
    many = Trips(*(np.resize(column, count) for column in trips))
    moves = Excursions(np.linspace(-1, 0, count), np.linspace(0, 1, count))
    points = scatter_of(many, moves)
    assert (points["total"], len(points["net"])) == (count, MOST_POINTS)
    assert (points["adverse"][0], points["adverse"][-1]) == (-100.0, 0.0)
    assert np.ptp(np.diff(points["favourable"])) < 0.05


def test_the_range_is_told_where_the_run_was_repeated(tmp_path: Path) -> None:
    outcome = average_run(1_500)
    initial, final = outcome.initial_equity, int(outcome.equity[-1])
    ways = (Way("pessimistic", final, final / initial - 1, -0.2, 30), Way("touch", initial * 2, 1.0, -0.1, 33))
    write_report(outcome, measure(outcome), LABEL, tmp_path / "r.html", bracket=Bracket(ways))
    found = data_of((tmp_path / "r.html").read_text("utf-8"))
    assert [row["name"] for row in found["bracket"]] == ["pessimistic, 30 fills", "touch, 33 fills"]
    assert found["bracket_note"].endswith("to +100.00% (touch); here pessimistic.")
    plain = data_of(written(outcome, tmp_path / "plain.html"))
    assert (plain["bracket"], "market orders" in plain["bracket_note"]) == ([], True)
    idle = data_of(written(idle_run([100.0] * 9), tmp_path / "idle.html"))
    assert idle["bracket_note"].startswith("Nothing was filled")
    outcome.fills["maker"][:3] = True
    resting = data_of(written(outcome, tmp_path / "resting.html"))["bracket_note"]
    assert resting.startswith("3 of ") and "--bracket" in resting


def test_every_list_has_its_rows_and_says_what_has_no_meaning(tmp_path: Path) -> None:
    for outcome in (average_run(3_000), idle_run([100.0] * 40), idle_run([100.0])):
        groups = data_of(written(outcome, tmp_path / "r.html"))["groups"]
        assert len(groups) == 8
        assert all(row["name"] and row["text"] for group in groups for row in group["rows"])
        assert not [row for group in groups for row in group["rows"] if "nan" in row["text"] or "None" in row["text"]]


def test_the_lists_show_the_figures_of_the_run(tmp_path: Path) -> None:
    outcome = average_run(3_000)
    measured, groups = measure(outcome), data_of(written(outcome, tmp_path / "r.html"))["groups"]
    rows = {f"{group['title']}: {row['name']}": row["text"] for group in groups for row in group["rows"]}
    market, sure = measured.market, measured.certainty
    assert market is not None
    assert rows["Beside the market: Beta"] == f"{number(market.beta)} (t {number(market.beta_t)})"
    assert rows["Beside the market: Alpha a year"].endswith(f"(t {number(market.alpha_t)})")
    assert rows["Certainty: PSR 2012 / 2025"] == f"{percent(sure.skill, 1)} / {percent(sure.skill_2025, 1)}"
    assert rows["Costs, USDT: Break-even a side"] == f"{number(measured.costs.break_even_bps, 1)} bps"
    assert rows["Quality of round trips: Payoff, win / loss"] == number(measured.scores.payoff)
    assert rows["Accounts, USDT: Sum"] == money(int(outcome.equity[-1]) - outcome.initial_equity, signed=True)


def test_long_tables_show_both_ends() -> None:
    assert list(chosen(3)) == [0, 1, 2]
    shown = list(chosen(5_000))
    assert (len(shown), shown[EACH_END - 1], shown[EACH_END], shown[-1]) == (1_000, 499, 4_500, 4_999)


def test_the_command_repeats_the_run() -> None:
    outcome = replace(average_run(200, symbols=("BTC/USDT", "ETH/USDT")), strategies=("my strategy",))
    command = command_line(outcome, RunLabel("r", "v", {"fast": 20, "lookbacks": (5, 10)}))
    assert command.startswith(
        "python -m crypto_bot backtest --strategy 'my strategy' --symbol BTC/USDT --symbol ETH/USDT"
    )
    assert "--from 2023-01-01T00:00:00Z --to 2023-01-09T07:00:00Z --cash 25000" in command
    assert "--param fast=20 --param lookbacks=5,10" in command
    label = RunLabel("r", "v", command="python -m crypto_bot report r")
    assert content_of(outcome, measure(outcome), label)["command"] == label.command


def test_control_characters_are_shown_by_their_code() -> None:
    assert visible("a\x00b\u200fc d") == "a\u27e8U+0000\u27e9b\u27e8U+200F\u27e9c d"


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        written(idle_run([100.0]), tmp_path / "absent" / "report.html")


def test_a_report_on_a_full_disk_leaves_the_old_one_in_its_place(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    before = written(idle_run([100.0]), report)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, limits[1]))
    try:
        with pytest.raises(RunFailed, match=r"report\.html cannot be written .*: make room"):
            written(average_run(50), report)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert report.read_text("utf-8") == before and list(tmp_path.iterdir()) == [report]


def test_a_single_bar_and_no_fill_still_make_a_page(tmp_path: Path) -> None:
    found = data_of(written(idle_run([100.0]), tmp_path / "report.html"))
    assert (found["equity"]["hold"], found["trips"]["total"], found["verdict"]) == ([], 0, "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium to open the page")
def test_a_browser_draws_the_page_and_runs_nothing_else(tmp_path: Path) -> None:
    outcome = replace(average_run(3_000), strategies=(HOSTILE,))
    written(outcome, tmp_path / "report.html")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += [
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    flags += ["--virtual-time-budget=3000", "--dump-dom", (tmp_path / "report.html").as_uri()]
    done = subprocess.run(["chromium", *flags], capture_output=True, text=True, timeout=60, check=True)
    drawn = Page(done.stdout)
    assert sum(tag == "canvas" for tag, _ in drawn.tags) >= 8, "two charts of several layers each"
    trips = measure(outcome).books.trips.closed
    assert sum(attributes.get("title") == "Show on the chart" for _, attributes in drawn.tags) == trips
    dots = [attributes.get("d") or "" for tag, attributes in drawn.tags if "dots" in (attributes.get("class") or "")]
    assert sum(path.count("h0") for path in dots) == 2 * trips, "each round trip is a point in both plots"
    assert "<title>stolen</title>" not in done.stdout
    assert not [a for tag, a in drawn.tags if tag == "img"]
