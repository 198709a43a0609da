"""The measured figures as tables: plain for the terminal, Markdown for the page."""

from collections.abc import Sequence

from benchmarks import workloads as work
from benchmarks.contest import Result
from benchmarks.verdicts import Absolute, Ratio


def million(rate: float) -> str:
    """Print bars a second in millions with three figures."""
    return f"{rate / 1e6:.3g} M" if rate < 99.5e6 else f"{rate / 1e6:.0f} M"


def comparison(ratios: Sequence[Ratio], results: Sequence[Result] = ()) -> list[list[str]]:
    """Return the rows of the main table, first its head; the results that no peer shares are told as not compared."""
    head = ["workload", "ours", "peer", "its bars/s", "by the processor", "by the wall", "required", "met"]
    rows = [head]
    compared = {ratio.workload for ratio in ratios}
    rows += [
        [
            ratio.workload,
            million(ratio.ours),
            ratio.peer,
            million(ratio.theirs),
            f"{ratio.by_cpu:.1f}",
            f"{ratio.by_wall:.1f}",
            "" if ratio.required is None else f"{ratio.required:g}",
            ratio.verdict,
        ]
        for ratio in ratios
    ]
    for result in results:
        if result.contestant == "ours" and result.workload not in compared:
            rows.append([result.workload, million(result.bars_per_cpu_second), "not compared", "", "", "", "", ""])
    return rows


def absolute_rows(absolutes: Sequence[Absolute]) -> list[list[str]]:
    """Return the rows of the figures that stand for themselves."""
    rows = [["figure", "measured", "at the reference's pace", "required", "met as measured", "met at that pace"]]
    for each in absolutes:
        required = "" if each.required is None else f"{each.required:g} {each.unit}"
        rows.append(
            [
                each.name,
                f"{each.measured:.3g} {each.unit}",
                f"{each.at_reference:.3g} {each.unit}",
                required,
                each.met(each.measured),
                each.met(each.at_reference),
            ]
        )
    return rows


def agreement(results: Sequence[Result], bars: int) -> list[list[str]]:
    """Return who filled how much and ended with what: equal work is a condition of the comparison."""
    rows = [["workload", "who", "fills", "final equity", "spread", "as expected"]]
    for result in results:
        expected = work.EXPECTED.get(result.workload) if bars == work.YEAR else None
        said = ""
        if expected is not None:
            near = abs(result.last.equity - expected.equity) <= expected.tolerance
            said = "yes" if near and result.last.fills in expected.fills else "differs"
        rows.append(
            [
                result.workload,
                result.contestant,
                f"{result.last.fills:,}",
                f"{result.last.equity:,.5f}",
                f"{100 * result.spread:.0f} %",
                said,
            ]
        )
    return rows


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as a Markdown table."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
