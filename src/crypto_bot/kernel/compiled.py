"""Compile, or leave alone, the functions of the kernel; with `linking`, the only file that imports numba.

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
from crypto_bot.domain.market import IntArray

Function = TypeVar("Function", bound=Callable[..., Any])

Record = Any
"""One element of a structured array: numpy.void interpreted, a machine record compiled."""

COMPILE = os.environ.get("CRYPTO_BOT_COMPILE", "1") != "0"
"""False when the kernel is to run as plain Python, for debuggers, coverage and as an oracle."""

RecordArray = Any
"""A structured array."""

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOMS = ("kernel", "venue")
_SINGLE_FILES = (
    *(f"backtesting/{name}.py" for name in ("carrying", "bridge", "filling", "quiet", "replay", "settle", "slices")),
    "domain/order.py",
    "domain/units.py",
)
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

    from crypto_bot.kernel.linking import Cold, Linked, Part, Whole, entry, hasten, part

    # Said twice: the variable is read once, by whoever imports numba first.
    config.CACHE_DIR = str(FOLDER)
    # Function pointers as arguments are experimental in name; their signature is what makes them cacheable.
    warnings.filterwarnings("ignore", category=NumbaExperimentalFeatureWarning)

    CompilerFault: type[Exception] = NumbaError

    _OPTIONS = {"nogil": True, "boundscheck": True, "_nrt": False}

    def compiled(
        signature: Any = None, *, inline: bool = False, inner: bool = False, cold: bool = False
    ) -> Callable[[Function], Function]:
        """Compile a kernel function: an entry point at once, if it has a signature, a part where it is used.

        Parts are `inner` ones, called by compiled code only, and `inline` ones, which are that too and are put
        into their callers whatever their size: see `linking`. Without either, a function that Python calls. A `cold`
        entry point is one that few runs need: it is compiled in less time, to slower code.
        Bounds checks are on everywhere; the private `_nrt=False` leaves out the reference counts,
        so such functions may not make or return arrays.
        """
        options: dict[str, Any] = {**_OPTIONS, "error_model": "numpy"}
        if inline or inner:
            options["no_cpython_wrapper"] = options["no_cfunc_wrapper"] = True
            options["forceinline"] = inline
            return lambda function: part(njit(function, pipeline_class=Part, **options))
        if signature is None:
            return lambda function: njit(function, cache=True, pipeline_class=Whole, **options)
        return lambda function: entry(
            njit(signature, cache=True, pipeline_class=Cold if cold else Whole, **options)(function)
        )

    def word(*, inline: bool = False) -> Callable[[Function], Function]:
        """Compile what strategies are made of: each by itself and kept on disk, for the next strategy uses it again."""
        options: dict[str, Any] = {**_OPTIONS, "error_model": "numpy"}
        options["no_cpython_wrapper"] = options["no_cfunc_wrapper"] = True
        options["forceinline"] = inline
        return lambda function: njit(function, cache=True, **options)

    def authored(*, outer: bool) -> Callable[[Function], Function]:
        """Compile a function of an author's file, in which dividing by zero raises as in Python.

        The `outer` ones, which the loop calls, are optimised with all the others before they are put into it.
        """
        options: dict[str, Any] = {**_OPTIONS, "error_model": "python", "forceinline": outer}
        options["no_cpython_wrapper"] = options["no_cfunc_wrapper"] = True
        return lambda function: part(njit(function, pipeline_class=Linked if outer else Part, **options))

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
        signature: Any = None, *, inline: bool = False, inner: bool = False, cold: bool = False
    ) -> Callable[[Function], Function]:
        """Leave the function as it is."""
        return lambda function: function

    def word(*, inline: bool = False) -> Callable[[Function], Function]:
        """Leave the function as it is."""
        return lambda function: function

    def authored(*, outer: bool) -> Callable[[Function], Function]:
        """Leave the function as it is."""
        return lambda function: function

    def mix(digest: int, value: int) -> int:
        """Fold one more integer into a 64-bit digest, wrapping by hand as machine integers do."""
        digest = ((int(digest) ^ int(value)) * _MIX) & _WORD
        if digest >> 63:
            digest -= 1 << 64
        return digest ^ (digest >> 29)

    def hasten(array: IntArray, place: tuple[int, int, int]) -> None:
        """Do nothing: it is there when it is asked for."""
