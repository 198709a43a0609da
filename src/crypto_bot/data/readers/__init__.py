"""Files of candles, each format read by its own module into one form: six columns of text."""

import stat
from pathlib import Path

from crypto_bot.data.filename import check_inner_name
from crypto_bot.data.readers.table import RawTable
from crypto_bot.data.readers.unpack import gunzip, unzip
from crypto_bot.domain.errors import DataError

MOST_BYTES = 1 << 30
"""Most bytes of a file, packed or unpacked."""

_ZIP, _GZIP, _FEATHER, _OLD_FEATHER, _PARQUET = b"PK", b"\x1f\x8b", b"ARROW1", b"FEA1", b"PAR1"
_SUFFIXES = {".zip": _ZIP, ".gz": _GZIP, ".feather": _FEATHER, ".parquet": _PARQUET}
_BINARY = (
    _ZIP,
    _GZIP,
    _FEATHER,
    _OLD_FEATHER,
    _PARQUET,
    b"7z\xbc\xaf",
    b"Rar!",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
)


def read_bytes(file: Path, *, limit: int = MOST_BYTES) -> bytes:
    """Read a file whole; DataError when it is missing, empty, too large or no regular file."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{file} is not a file; name files of candles.")
        if found.st_size > limit:
            raise DataError(f"{file} is larger than {limit >> 20} MiB; split it into smaller files.")
        data = file.read_bytes()
    except OSError as problem:
        raise DataError(f"{file} cannot be read ({problem.strerror}); check the name.") from None
    if not data:
        raise DataError(f"{file} is empty; download it again.")
    return data


def read_table(data: bytes, file: Path, *, limit: int = MOST_BYTES) -> RawTable:
    """Read candles from the bytes of a file, by what they begin with; DataError says what is wrong with them."""
    name = file.name
    expected = _SUFFIXES.get(file.suffix.lower(), b"")
    if not data.startswith(expected):
        raise DataError(f"{name} is not a {file.suffix[1:]} file, whatever its name says; download it again.")
    if data.startswith(_FEATHER):
        from crypto_bot.data.readers.columnar import read_feather

        return read_feather(data, name, limit=limit)
    if data.startswith(_PARQUET):
        from crypto_bot.data.readers.columnar import read_parquet

        return read_parquet(data, name, limit=limit)
    if data.startswith(_ZIP):
        inner, text = unzip(data, name, limit=limit)
        check_inner_name(name, inner)
        return _read_text(text, name)
    if data.startswith(_GZIP):
        return _read_text(gunzip(data, name, limit=limit), name)
    return _read_text(data, name)


def _read_text(data: bytes, name: str) -> RawTable:
    """Read CSV or JSON; anything packed is refused, because it would be packed twice or in an unknown way."""
    if data.startswith(_BINARY):
        raise DataError(f"{name} holds another packed file; unpack it and import the CSV file.")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{")):
        from crypto_bot.data.readers.freqtrade import read_json

        return read_json(data, name)
    from crypto_bot.data.readers.text import read_csv

    return read_csv(data, name)
