"""No worked value is without its test: each key of the reference is covered by one that exists, or comes later."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

GRID = "golden/test_grid_vectors.py::test_the_grid_gives_the_worked_value"
SIGNALS = "golden/test_signal_vectors.py::"
METRICS = "golden/test_metric_vectors.py::"
FILLS, VOLUME = "unit/test_execution_vectors.py::", "unit/test_volume.py::"

COVERED: Mapping[str, str] = {
    "S": GRID,
    "T1.": f"{SIGNALS}VALUES",
    "T2.": f"{SIGNALS}VALUES",
    "T3.": f"{SIGNALS}VALUES",
    "T4.": f"{SIGNALS}VALUES",
    "T5.": f"{SIGNALS}VALUES",
    "T6.": f"{SIGNALS}VALUES",
    "T10.": f"{SIGNALS}VALUES",
    "T7.": "unit/test_donchian_trend.py::test_a_channel_is_left_a_third_of_its_length_after_the_peak",
    "T8.": "unit/test_donchian_trend.py::test_the_ensemble_shrinks_by_its_channels",
    "T9.": "unit/test_donchian_trend.py::test_the_share_is_the_target_over_the_volatility",
    "T11.": "unit/test_cross_section_momentum.py"
    "::test_ten_constant_growths_earn_the_mean_of_the_best_two_less_that_of_the_worst_two",
    "M": f"{METRICS}VECTORS",
    "E3.": f"{VOLUME}test_sixty_units_at_a_fortieth_of_a_thousand",
    "E4.": f"{VOLUME}test_impact_of_a_share_of_the_volume",
    "E5.": f"{VOLUME}test_impact_of_the_root",
    "E6.": f"{FILLS}test_a_round_trip_at_a_flat_price",
    "E7.": "golden/test_grid_vectors.py::test_what_fees_take_in_a_year",
    "E8.": f"{FILLS}test_slippage_is_a_fixed_share_of_the_open_and_against_us",
    "E10.": f"{FILLS}test_the_fee_in_the_asset_that_was_bought",
    "R1.": "unit/test_risk.py::test_a_buy_is_cut_to_what_its_stop_may_lose",
    "R2.": "golden/test_grid_vectors.py::test_a_symbols_share_caps_a_buy",
    "R3.": "golden/test_grid_vectors.py::test_losses_of_two_per_cent_trip_the_limits",
    "R4.": "golden/test_grid_vectors.py::test_what_brings_a_fall_back",
    "R5.": "unit/test_gates.py::test_what_a_stake_grows_by",
    "R6.": "unit/test_gates.py::test_kelly_of_small_steps_is_the_mean_over_the_variance",
    "R7.": "unit/test_gates.py::test_break_even",
    "R9.trail_step": "unit/test_guards.py::test_a_trailing_stop_of_ten_per_cent",
    "R9.trail_exact": "unit/test_guards.py::test_an_exact_touch_triggers",
}
"""By the beginning of a key, the longest that fits: the file and the test, or the table of a test, that holds it."""

LATER: Mapping[str, str] = {
    "R8.": "limits on the volatility of a portfolio",
    "V": "searching for parameters: purged folds, overfitting, walking forward",
    "E9.": "queues in an order book",
    "L": "learned take-profits and stop-losses",
}
"""What this program does not do yet."""


def place_of(key: str) -> tuple[str, str]:
    """Return where a key is covered, and why it is not; one of the two is empty. KeyError when it is unknown."""
    fits = [start for start in (*COVERED, *LATER) if key.startswith(start)]
    start = max(fits, key=len, default="")
    if not start:
        raise KeyError(f"{key} is new: name the test that covers it, or what it waits for")
    return COVERED.get(start, ""), LATER.get(start, "")


def names_in(file: Path) -> set[str]:
    """Return the tests and tables that a file declares."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("place", sorted(set(COVERED.values())))
def test_what_covers_a_value_exists(place: str) -> None:
    file, _, name = place.partition("::")
    assert name in names_in(TESTS / file)


def test_every_worked_value_is_covered_or_comes_later(reference: Path) -> None:
    keys = json.loads((reference / "specs" / "vectors.json").read_text())
    for key in keys:
        covered, waits = place_of(key)
        assert bool(covered) != bool(waits), key
    unused = [start for start in (*COVERED, *LATER) if not any(key.startswith(start) for key in keys)]
    assert not unused, "no key begins so any more"


def test_an_unknown_value_fails() -> None:
    with pytest.raises(KeyError, match="X1.new is new"):
        place_of("X1.new")


@pytest.mark.parametrize(("folder", "letters"), [("grid", "SER"), ("metrics", "M")])
def test_the_copies_are_those_of_the_reference(folder: str, letters: str, reference: Path) -> None:
    """Numbers that were copied have not drifted, and none of a table was left out."""
    told = json.loads((reference / "specs" / "vectors.json").read_text())
    copied = json.loads((TESTS / "data" / folder / "vectors.json").read_text())
    copied = copied.get("vectors", copied)
    for key, value in copied.items():
        if key in told:
            assert key[0] in letters
            assert (value["value"] if isinstance(value, dict) else value) == told[key]["value"]
    whole = letters[0]
    assert {key for key in told if key[0] == whole} <= set(copied)
