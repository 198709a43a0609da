"""The log: JSON lines in a file, plain warnings on stderr, and no secret in either."""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from crypto_bot.domain.errors import RunFailed

HIDDEN = "***"
FILE_BYTES_MAX = 20_000_000
FILES_KEPT = 9

_SHORTEST_SECRET = 6
_PUBLIC_WORDS = frozenset({"practice"})
_WIRE_SECRETS = re.compile(
    r"((?:signature|api_?key|api_?secret|secret|token|password|passphrase|listenKey)(?:=|\\?[\"']:\s*\\?[\"'])"
    r"|(?:X-[A-Z]+-(?:API-?KEY|SIGN)|API-?KEY|API-SIGN|Cookie)\\?[\"']?\s*[:,]\s*b?\\?[\"']?"
    r"|Bearer\s+|Basic\s+(?=[\w+/]{8})|/bot(?=\d+:)|/api/webhooks/(?=\d+/))[^\s&\"'\\,}]+"
    r"|\b(ctb_)[\w-]{20,}",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Redactor:
    """Replaces known secret values, and what looks like one on the wire, by ***."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets' plain values; words too short to be secrets would blot out half the text.

        Nor is `practice` one, the key of the practice exchange.
        """
        known = {text for text in secrets if len(text) >= _SHORTEST_SECRET} - _PUBLIC_WORDS
        spelled = known | {quote(text, safe="") for text in known} | {json.dumps(text)[1:-1] for text in known}
        self._values = tuple(sorted(spelled, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """Return the text without secrets."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        text = _WIRE_SECRETS.sub(rf"\g<1>\g<2>{HIDDEN}", text)
        return _URL_PASSWORD.sub(rf"\g<1>{HIDDEN}@", text)


class JsonLines(logging.Formatter):
    """One record as one line of JSON: time, level, logger, message, what was passed as `extra`, exception."""

    def __init__(self, redactor: Redactor) -> None:
        """Format through a redactor."""
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without the newline."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return self._redactor.clean(json.dumps(line, default=str, ensure_ascii=False))


class PlainWords(logging.Formatter):
    """A record as a person reads it on stderr: the level and the message, never a traceback."""

    def __init__(self, redactor: Redactor) -> None:
        """Format through a redactor."""
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without the newline."""
        return self._redactor.clean(f"{record.levelname.lower()}: {record.getMessage()}")


class _PrivateFile(RotatingFileHandler):
    """A log file that only its owner can read, kept in numbered pieces that still end in .jsonl."""

    def _open(self):  # type: ignore[no-untyped-def]  # typeshed gives the stream a private type
        Path(self.baseFilename).touch(mode=0o600)
        return super()._open()

    def rotation_filename(self, default_name: str) -> str:
        """Name an old piece engine.1.jsonl instead of engine.jsonl.1."""
        path = Path(default_name)
        return str(path.with_name(f"{path.stem.removesuffix('.jsonl')}{path.suffix}.jsonl"))


def log_uncaught() -> None:
    """Let what nobody catches, also in threads, go through the log's redaction instead of straight to stderr."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            logging.getLogger(__name__).critical("the process ends with %s", kind.__name__, exc_info=error)

    def tell_of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            tell(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = tell
    threading.excepthook = tell_of_thread


def configure_logging(level: str, folder: Path, *, name: str = "engine", secrets: Iterable[str] = ()) -> Path:
    """Send everything from `level` on to FOLDER/NAME.jsonl, and warnings and errors in plain words to stderr.

    Each process has its own `name`, because two must not rotate one file. Replaces what was configured before.
    Returns the file; raises RunFailed when it cannot be written.
    """
    redactor = Redactor(secrets)
    path = folder / f"{name}.jsonl"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = _PrivateFile(path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
    except OSError as error:
        raise RunFailed(f"The log {path} cannot be written: {error.strerror}.") from None
    lines.setFormatter(JsonLines(redactor))
    words = logging.StreamHandler(sys.stderr)
    words.setLevel(logging.WARNING)
    words.setFormatter(PlainWords(redactor))
    logging.basicConfig(level=level.upper(), handlers=[lines, words], force=True)
    logging.captureWarnings(True)
    return path
