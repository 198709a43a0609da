"""Ask whether a known weakness is in what is installed, and never call unknown what was not looked at.

Ends with 0 when every package was looked up and nothing is known, with 1 when something is known, and with 3
when not every package could be looked up: the service did not answer, or does not know the package.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

CLEAN, WEAK, UNKNOWN = 0, 1, 3
OWN = "cryptotrader"
SERVICES = ("pypi", "osv")
PATIENCE_S = 90


@dataclass(frozen=True)
class Verdict:
    """What came of an audit: the exit status, and the lines that say why."""

    status: int
    lines: tuple[str, ...]


def judge(report: str) -> Verdict:
    """Read pip-audit's JSON; a package that was skipped, other than this project itself, makes the audit incomplete."""
    try:
        packages = json.loads(report)["dependencies"]
        looked_up = [each for each in packages if "skip_reason" not in each]
        skipped = [each["name"] for each in packages if "skip_reason" in each and each["name"] != OWN]
        weak = [
            f"{each['name']} {each['version']}: {found['id']}, mended in {found['fix_versions'] or 'no version'}"
            for each in looked_up
            for found in each["vulns"]
        ]
    except (ValueError, KeyError, TypeError):
        return Verdict(UNKNOWN, ("not audited: service unreachable",))
    if weak:
        return Verdict(WEAK, tuple(weak))
    if not looked_up:
        return Verdict(UNKNOWN, ("not audited: service unreachable",))
    if skipped:
        named = ", ".join(skipped[:5]) + (" and others" if len(skipped) > 5 else "")
        return Verdict(UNKNOWN, (f"not audited: {len(skipped)} of {len(looked_up) + len(skipped)} packages ({named})",))
    return Verdict(CLEAN, (f"{len(looked_up)} packages, no known weakness",))


def ask(service: str) -> Verdict:
    """Run pip-audit over this environment; its own exit status says nothing about what it skipped."""
    words = ["--local", "--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Verdict(UNKNOWN, ("not audited: service unreachable",))
    if "No module named pip_audit" in done.stderr:
        return Verdict(UNKNOWN, ("not audited: pip-audit is not installed",))
    return judge(done.stdout)


def main() -> int:
    """Ask one service after the other until one has an answer for every package."""
    verdicts = []
    for service in SERVICES:
        verdicts.append(ask(service))
        if verdicts[-1].status != UNKNOWN:
            break
    weak = [each for each in verdicts if each.status == WEAK]
    last = weak[0] if weak else verdicts[-1] if verdicts[-1].status == CLEAN else verdicts[0]
    sys.stdout.writelines(f"{line}\n" for line in last.lines)
    return last.status


if __name__ == "__main__":
    sys.exit(main())
