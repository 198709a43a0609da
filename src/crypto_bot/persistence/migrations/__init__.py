"""The history of the schema, one script per step, forward only: the way back is the copy made before each step."""

from pathlib import Path

HEAD = "0003"
"""The revision this program works with. A test holds it equal to the newest script's."""

SCRIPTS = Path(__file__).parent
"""Where the scripts lie."""
