"""The scripts that stand between a stranger and a running bot: what they promise before anything is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.style.tree import ROOT

SETUP = "scripts/setup_venv.sh"

# Answers questions about itself as Python does, and writes down what it is told to install or run.
RECORDING_PYTHON = f"""#!/bin/sh
case "$1" in
  -m) echo "$*" >> calls.txt ;;
  *) exec {sys.executable} "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, a pyproject.toml and a .venv whose Python only records."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / SETUP, tmp_path / SETUP)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(RECORDING_PYTHON, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


def setup(project: Path, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script from another folder."""
    return subprocess.run(
        ["bash", str(project / SETUP), *flags],
        cwd="/",
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(project: Path) -> list[str]:
    file = project / "calls.txt"
    found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return found


def test_installs_then_warms(project: Path) -> None:
    assert setup(project, "--core").returncode == 0
    install, warm = calls(project)
    assert install.startswith("-m pip install") and install.endswith("--editable .")
    assert warm == "-m crypto_bot warm"


def test_says_and_does_nothing_the_second_time(project: Path) -> None:
    setup(project, "--dev")
    calls(project)
    for flag in ("--dev", "--core"):
        again = setup(project, flag)
        assert (again.returncode, again.stdout, again.stderr, calls(project)) == (0, "", "", [])


def test_more_extras_and_new_needs_are_installed(project: Path) -> None:
    setup(project, "--core")
    setup(project, "--dev")
    setup(project)
    ends = [line.rsplit(" ", 1)[1] for line in calls(project) if "pip" in line]
    assert ends == [".", ".[dev]", ".[all]"]
    (project / "pyproject.toml").write_text("[project]\nname = 'y'\n", encoding="utf-8")
    setup(project, "--core")
    assert len(calls(project)) == 2


def test_goes_on_after_a_failure(project: Path) -> None:
    python = project / ".venv" / "bin" / "python"
    python.write_text(RECORDING_PYTHON.replace('"$*" >> calls.txt', '"$*" >> calls.txt; exit 1'), encoding="utf-8")
    failed = setup(project, "--core")
    assert failed.returncode == 1
    assert "setup_venv: pip could not install ." in failed.stderr
    python.write_text(RECORDING_PYTHON, encoding="utf-8")
    calls(project)
    assert setup(project, "--core").returncode == 0
    assert len(calls(project)) == 2


def test_refuses_what_it_cannot_use(project: Path) -> None:
    assert setup(project, "--everything").returncode == 2
    shutil.rmtree(project / ".venv")
    refused = setup(project, "--core", PYTHON="/bin/false")
    assert refused.returncode == 1
    assert "PYTHON=/bin/false is not a Python 3.11, 3.12 or 3.13" in refused.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("script", [SETUP, ".ci/run"])
def test_scripts_parse_and_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True, timeout=10)


def test_documented_targets_exist() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True).stdout
    made = set(re.findall(r"^make (\w+)", told, re.MULTILINE))
    texts = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "README.md", ".ci/run"))
    named = set(re.findall(r"(?:`|^)make (\w+)", texts, re.MULTILINE))
    assert named and named <= made
