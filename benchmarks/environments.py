"""One virtual environment per peer, made once and kept, because peers disagree about their dependencies."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).resolve().parent
_PYTHONS = ("python3.12", "python3.13", "python3.11")


@dataclass(frozen=True)
class Peer:
    """What is installed for a peer and which script measures it."""

    name: str
    packages: tuple[str, ...]

    @property
    def python(self) -> Path:
        """Its own interpreter."""
        return HERE / "peers" / "venv" / self.name / "bin" / "python"

    @property
    def script(self) -> Path:
        """The script that measures it."""
        return HERE / "peer_runs" / f"with_{self.name}.py"


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        peer.name: peer
        for peer in (
            Peer("vectorbt", ("vectorbt[rust]==1.2.0",)),
            Peer("raptorbt", ("raptorbt==0.13.4", "numpy")),
            Peer("backtesting", ("backtesting==0.6.6",)),
        )
    }
)


def install(peer: Peer) -> None:
    """Make the environment of a peer unless it is there; SystemExit with one sentence when that fails."""
    stamp = peer.python.parent.parent / "installed"
    wanted = "\n".join(peer.packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {', '.join(peer.packages)}", file=sys.stderr)
    python = next(_pythons(), None)
    if python is None:
        raise SystemExit("the peers need a Python 3.12, 3.13 or 3.11 on the PATH with its venv module")
    folder = peer.python.parent.parent
    made = subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=False)
    pip = [str(peer.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages]
    if made.returncode != 0 or subprocess.run(pip, check=False).returncode != 0:
        raise SystemExit(f"{peer.name} could not be installed; the message of pip is above")
    stamp.write_text(wanted)


def _pythons() -> Iterator[str]:
    """Yield the interpreters on the PATH that work; a shim of pyenv may stand for a version that is not chosen."""
    for name in _PYTHONS:
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            yield found
