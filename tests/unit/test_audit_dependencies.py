"""The audit of dependencies is never green for what it did not look at."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit_dependencies.py"
FINE = {"name": "numpy", "version": "2.2", "vulns": []}
WEAK = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "scipy", "skip_reason": "not found and could not be audited"}
OWN = {"name": "cryptotrader", "skip_reason": "distribution marked as editable"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([FINE, OWN], 0, "1 packages, no known weakness"),
        ([FINE, WEAK], 1, r"old 1.0: CVE-1, mended in \['1.1'\]"),
        ([FINE, WEAK, SKIPPED], 1, "CVE-1"),
        ([FINE, SKIPPED], 3, r"not audited: 1 of 2 packages \(scipy\)"),
        ([FINE, *[SKIPPED] * 9], 3, "9 of 10 packages .* and others"),
        ([SKIPPED], 3, "not audited: service unreachable"),
        ([OWN], 3, "not audited: service unreachable"),
        ([], 3, "not audited"),
    ],
)
def test_what_a_report_means(packages: list[object], status: int, words: str) -> None:
    judge = runpy.run_path(str(SCRIPT))["judge"]
    verdict = judge(json.dumps({"dependencies": packages, "fixes": []}))
    assert verdict.status == status
    assert re.search(words, "\n".join(verdict.lines))


@pytest.mark.parametrize("report", ["", "Traceback", "[]", "{}", '{"dependencies": [{}]}', "null"])
def test_no_report_is_no_audit(report: str) -> None:
    verdict = runpy.run_path(str(SCRIPT))["judge"](report)
    assert verdict.status == 3 and verdict.lines == ("not audited: service unreachable",)


def test_a_failing_service_is_told_plainly(tmp_path: Path) -> None:
    """A pip-audit that skips everything and calls that fine, as the real one does where its service is out of reach."""
    (tmp_path / "pip_audit.py").write_text(
        'print(\'{"dependencies": [{"name": "a", "skip_reason": "not found"}]}\')', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (3, "not audited: service unreachable\n")
