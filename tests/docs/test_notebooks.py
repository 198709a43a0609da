"""The notebooks: executed from top to bottom by a real Jupyter kernel, and still showing what they say they show."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

_CHANGING = re.compile(r"run \d{8}-\d{6}-[0-9a-f]{4}|version \S+")


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has types for its classes only
    assert isinstance(notebook, nbformat.NotebookNode)
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Give what the cells show as text, without what changes from run to run."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type in ("execute_result", "display_data"), output
            yield _CHANGING.sub("...", output.data["text/plain"])


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_kept_in_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Interpreted, so that nothing has to be compiled first: it decides the same, which is tested elsewhere.
    monkeypatch.setenv("CRYPTO_BOT_COMPILE", "0")
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    kept, ours = read(path), read(path)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(ours, timeout=120, kernel_name="python3", record_timing=False, resources=place).execute()
    assert list(outputs(ours)) == list(outputs(kept))
    left = {left.name for left in tmp_path.iterdir()} - {"cache", "ipython"}
    assert left == set(), "a notebook leaves nothing behind"


def test_there_are_three_and_each_is_small_and_of_no_machine() -> None:
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 60_000, path.name
        assert not re.search(r"/(work|home|root|tmp|Users)/", text), path.name
        notebook = read(path)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
        assert "iopub" not in text, "times of a run"
        counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1)), "executed from top to bottom"
        assert sum(bool(cell.get("outputs")) for cell in notebook.cells) >= 5, "most cells show something"
