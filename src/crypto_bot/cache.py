"""Where computed things are kept between runs; everything in it may be deleted at any time."""

import os
import stat
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for what can be computed again, made with mode 0700 when it is missing.

    The first that can be written of CRYPTO_BOT_CACHE_DIR, $XDG_CACHE_HOME/cryptotrader,
    ~/.cache/cryptotrader and a folder of this user in the temporary directory.
    """
    wanted = _wanted()
    if wanted is not None and _usable(wanted):
        return wanted
    shared = Path(tempfile.gettempdir()) / f"cryptotrader-{os.getuid()}"
    if _usable(shared) and _private(shared):
        return shared
    return Path(tempfile.mkdtemp(prefix="cryptotrader-"))


def _wanted() -> Path | None:
    """Return the folder the environment asks for; None for a user without a home."""
    if chosen := os.environ.get("CRYPTO_BOT_CACHE_DIR"):
        return Path(chosen).absolute()
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if Path(chosen).is_absolute():  # the XDG rules: a relative path is to be ignored
        return Path(chosen) / "cryptotrader"
    try:
        return Path.home() / ".cache" / "cryptotrader"
    except RuntimeError:
        return None


def _usable(folder: Path) -> bool:
    """Make the folder if need be and tell whether files can be made in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _private(folder: Path) -> bool:
    """Tell whether a folder in the shared temporary directory is ours alone: others may have put it there."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
