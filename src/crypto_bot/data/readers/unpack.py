"""Zip and gzip files, opened as if their maker meant harm: no byte goes to disk, none unpacks without end."""

import gzip
import io
import zipfile
import zlib
from typing import IO

from crypto_bot.domain.errors import DataError

_CHUNK = 1 << 20
_FREE = 16 << 20
"""Bytes that may be unpacked whatever the packed size is."""

_RATIO = 200
"""Text of candles packs to a third or a tenth; bombs to a thousandth."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PACKED_NAMES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def unzip(data: bytes, name: str, *, limit: int) -> tuple[str, bytes]:
    """Return the name and the contents of the one CSV file in a zip archive; DataError for any other content."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = _only_entry(archive, name)
            with archive.open(entry) as stream:
                return entry.filename, _read_bounded(stream, entry.compress_size, limit, name)
    except _BROKEN as problem:
        raise DataError(f"{name} is broken ({problem}); download it again.") from None


def gunzip(data: bytes, name: str, *, limit: int) -> bytes:
    """Return the contents of a gzip file."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return _read_bounded(stream, len(data), limit, name)
    except _BROKEN as problem:
        raise DataError(f"{name} is broken ({problem}); download it again.") from None


def _only_entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the single CSV entry of an archive that plays no tricks."""
    entries = archive.infolist()
    for entry in entries:
        inner = entry.filename
        if inner.lower().endswith(_PACKED_NAMES):
            raise DataError(f"{name} holds another archive, {inner!r}; unpack it and import the CSV files.")
        if any(mark in inner for mark in ("/", "\\", ":")) or inner.startswith("."):
            raise DataError(f"{name} holds a file with a path for a name, {inner!r}; get it from a source you trust.")
        if entry.flag_bits & _ENCRYPTED:
            raise DataError(f"{name} is encrypted; unpack it with its password and import the CSV file.")
    if len(entries) != 1 or not entries[0].filename.lower().endswith(".csv"):
        raise DataError(f"{name} holds {len(entries)} files; it must hold one CSV file and nothing else.")
    if entries[0].compress_type not in _METHODS:
        raise DataError(f"{name} is packed in an unusual way; unpack it and import the CSV file.")
    return entries[0]


def _read_bounded(stream: IO[bytes] | gzip.GzipFile, packed: int, limit: int, name: str) -> bytes:
    """Read a stream to its end, or refuse as soon as it has become too long."""
    most = min(limit, max(_FREE, packed * _RATIO))
    parts, size = [], 0
    while part := stream.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > most:
            raise DataError(f"{name} unpacks to more than {most >> 20} MiB, as a bomb does; it was not read further.")
    return b"".join(parts)
