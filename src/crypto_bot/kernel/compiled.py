"""The one file that imports numba: compile, or leave alone, the functions of the kernel.

Compiled code is kept on disk in a folder named by the hash of every source that can be inlined into
it, because numba itself watches only the file of the outermost function and would go on using an
edited callee's old code. Old folders are dropped.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from crypto_bot.cache import cache_folder

Function = TypeVar("Function", bound=Callable[..., Any])

Record = Any
"""One element of a structured array: numpy.void interpreted, a machine record compiled."""

COMPILE = os.environ.get("CRYPTO_BOT_COMPILE", "1") != "0"
"""False when the kernel is to run as plain Python, for debuggers, coverage and as an oracle."""

RecordArray = Any
"""A structured array."""

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOMS = ("kernel", "venue")
_SINGLE_FILES = ("backtesting/replay.py", "domain/order.py", "domain/units.py")
_KEPT_KEYS = 2
_WORD = (1 << 64) - 1
_MIX = 0x2545F4914F6CDD1D


def kernel_key() -> str:
    """Return the hash of every source that may end up inside compiled code."""
    digest = hashlib.sha256()
    files = [file for room in _ROOMS for file in sorted((_PACKAGE / room).glob("*.py"))]
    for file in files + [_PACKAGE / name for name in _SINGLE_FILES]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def compile_folder() -> Path:
    """Return the folder of this kernel's compiled code; make it and drop those of older kernels."""
    folder = cache_folder() / "kernel" / kernel_key()
    # A full disk or a power cut leaves empty files, over which numba would stumble: begin anew.
    if any(file.stat().st_size == 0 for file in folder.glob("**/*.nb[ic]")):
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(folder.parent.iterdir(), key=lambda other: other.stat().st_mtime)
        for old in others[:-_KEPT_KEYS]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


FOLDER: Path | None = compile_folder() if COMPILE else None
"""Where compiled code is kept."""

if COMPILE:
    os.environ["NUMBA_CACHE_DIR"] = str(FOLDER)
    import warnings

    from numba import config, from_dtype, njit, types
    from numba.core.errors import NumbaError, NumbaExperimentalFeatureWarning

    # Said twice: the variable is read once, by whoever imports numba first.
    config.CACHE_DIR = str(FOLDER)
    # Function pointers as arguments are experimental in name; their signature is what makes them cacheable.
    warnings.filterwarnings("ignore", category=NumbaExperimentalFeatureWarning)

    CompilerFault: type[Exception] = NumbaError

    def compiled(
        signature: Any = None, *, inline: bool = False, inner: bool = False, strict: bool = False
    ) -> Callable[[Function], Function]:
        """Compile a kernel function; with a signature at once, otherwise where it is used.

        `inner` functions are called by compiled code only, which spares the wrappers that Python would need;
        `inline` ones are that too, and LLVM is asked to put them into their callers. `strict` makes a
        division by zero raise as it does in Python.
        Bounds checks are on everywhere; the private `_nrt=False` leaves out the reference counts,
        so such functions may not make or return arrays.
        """
        options: dict[str, Any] = {"cache": True, "nogil": True, "boundscheck": True, "_nrt": False}
        options["error_model"] = "python" if strict else "numpy"
        if inline:
            options["forceinline"] = True
        if inline or inner:
            options["no_cpython_wrapper"] = options["no_cfunc_wrapper"] = True

        def wrap(function: Function) -> Function:
            return njit(function, **options) if signature is None else njit(signature, **options)(function)  # type: ignore[no-any-return] # numba has no types

        return wrap

    @njit(cache=True, inline="always")
    def mix(digest: int, value: int) -> int:
        """Fold one more integer into a 64-bit digest."""
        digest = (digest ^ value) * _MIX
        return digest ^ (digest >> 29)

else:
    types = from_dtype = None

    class CompilerFault(Exception):  # type: ignore[no-redef] # the same name for both ways to run
        """Never raised: nothing is compiled."""

    def compiled(
        signature: Any = None, *, inline: bool = False, inner: bool = False, strict: bool = False
    ) -> Callable[[Function], Function]:
        """Leave the function as it is."""
        return lambda function: function

    def mix(digest: int, value: int) -> int:
        """Fold one more integer into a 64-bit digest, wrapping by hand as machine integers do."""
        digest = ((int(digest) ^ int(value)) * _MIX) & _WORD
        if digest >> 63:
            digest -= 1 << 64
        return digest ^ (digest >> 29)
