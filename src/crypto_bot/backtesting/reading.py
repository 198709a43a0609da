"""Which files a class opens while it is made and while it decides: prices of its own may be those of the future."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

_CODE = (".py", ".pyc", ".so", ".pth")


def files_opened(file: Path, work: Callable[[], object]) -> list[str]:
    """Do it; return the names of what was opened on behalf of a file's code, but for code that it imports."""
    opened: dict[str, None] = {}
    listening = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open" and arguments and isinstance(arguments[0], str | bytes | Path):
            path = arguments[0].decode(errors="replace") if isinstance(arguments[0], bytes) else str(arguments[0])
            if not path.endswith(_CODE) and _is_above(str(file), sys._getframe(1)):
                opened[Path(path).name] = None

    sys.addaudithook(hook)  # there is no way to take one away
    try:
        work()
    finally:
        listening = False
    return list(opened)


def _is_above(file: str, frame: FrameType | None) -> bool:
    """Tell whether code of the file is at work, and not importing."""
    found = False
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name:
            return False
        found = found or name == file
        frame = frame.f_back
    return found
