"""Where the page's files lie, in a checkout and in an installed package."""

from pathlib import Path

from crypto_bot.domain.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent.parent


def static_folder() -> Path:
    """Return the folder of the static dashboard; UsageError when the installation lacks it."""
    for folder in (_PACKAGE / "static", _PACKAGE.parent.parent / "static-dashboard"):
        if (folder / "index.html").is_file():
            return folder
    raise UsageError(f"the dashboard's files are missing beside {_PACKAGE}; install cryptotrader again")


def open_paths(folder: Path) -> frozenset[str]:
    """Return the URL paths of the files that need no token: they hold no data."""
    files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return frozenset(
        {"/", *(f"/{name}" for name in files if not any(part.startswith(".") for part in name.split("/")))}
    )
