"""Tokens made for others: each with a name, a role and an end; kept as digests, so that the file opens nothing."""

import fcntl
import hmac
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from crypto_bot.api.access import ROLES
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.persistence.sqlite_file import make_private_folder, translated

FILE = "api_tokens.json"
PREFIX = "ctb_"
"""How every token begins that was made here: a scanner for secrets finds it, and so does the log's redaction."""
DAYS = 90
DAYS_MAX = 366
TOKENS_MAX = 100
DAY_S = 86_400

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_OWN_NAME = "local"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one token may do: `digest` is its SHA-256 in hex, times are seconds since 1970, 0 means not revoked."""

    name: str
    role: str
    digest: str
    made_s: int
    expires_s: int
    revoked_s: int = 0

    def holds(self, now_s: float) -> bool:
        """Tell whether the token opens anything at this time."""
        return not self.revoked_s and now_s < self.expires_s


class TokenBook:
    """The file of granted tokens: read again whenever it has changed, so that a revoked token ends at once."""

    def __init__(self, state_folder: Path, wall: Callable[[], float] = time.time) -> None:
        """Name the state folder; a missing file means no tokens."""
        self.path = state_folder / FILE
        self.wall = wall
        self._identity: tuple[int, int, int] | None = None
        self._grants: tuple[Grant, ...] = ()

    def grants(self) -> tuple[Grant, ...]:
        """Return every token ever made here, oldest first.

        Raises DataError for a file that is not one of ours, UsageError for one that others can read.
        """
        with translated(self.path):
            try:
                found = self.path.stat()
            except FileNotFoundError:
                self._identity, self._grants = None, ()
                return ()
            identity = (found.st_ino, found.st_mtime_ns, found.st_size)
            if identity != self._identity:
                if stat.S_IMODE(found.st_mode) & 0o077:
                    raise UsageError(f"{self.path} can be read by others; run `chmod 600 {self.path}`")
                self._grants = _decoded(self.path.read_text("utf-8", "replace"), self.path)
                self._identity = identity
        return self._grants

    def find(self, token: str) -> Grant | None:
        """Return the grant of a token, whether it still holds or not; None when it was never made here."""
        digest = digest_of(token)
        found = None
        for grant in self.grants():
            if hmac.compare_digest(grant.digest, digest):
                found = grant
        return found

    def add(self, name: str, role: str, days: int = DAYS) -> tuple[str, Grant]:
        """Make a token and return it with its grant, the only time that it is seen.

        UsageError for what is not allowed.
        """
        if not _NAME.fullmatch(name) or name == _OWN_NAME:
            raise UsageError(
                f"{name!r} cannot name a token; take 1 to 32 of a-z, 0-9, '.', '-' and '_', and not {_OWN_NAME}"
            )
        if role not in ROLES:
            raise UsageError(f"{role!r} is not a role; there are {', '.join(ROLES)}")
        if not 1 <= days <= DAYS_MAX:
            raise UsageError(f"a token holds 1 to {DAYS_MAX} days, not {days}")
        now = int(self.wall())
        token = PREFIX + secrets.token_urlsafe(32)
        grant = Grant(name, role, digest_of(token), now, now + days * DAY_S)
        with self._writing() as before:
            if any(each.name == name and each.holds(now) for each in before):
                raise UsageError(f"there is a token named {name} already; revoke it, or take another name")
            living = [each for each in before if each.holds(now)]
            if len(living) >= TOKENS_MAX:
                raise UsageError(f"there are {TOKENS_MAX} tokens already; revoke some")
            ended = [each for each in before if not each.holds(now)][-TOKENS_MAX:]
            self._write([*ended, *living, grant])
        return token, grant

    def revoke(self, name: str) -> Grant:
        """End the living token of this name; UsageError when there is none."""
        now = int(self.wall())
        with self._writing() as before:
            ended = [replace(each, revoked_s=now) for each in before if each.name == name and each.holds(now)]
            if not ended:
                raise UsageError(f"there is no living token named {name}; `token list` shows which there are")
            self._write([ended[0] if each.name == name and each.holds(now) else each for each in before])
        return ended[0]

    @contextmanager
    def _writing(self) -> Iterator[tuple[Grant, ...]]:
        """Keep other writers out, and give what the file says."""
        make_private_folder(self.path.parent)
        with translated(self.path):
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield self.grants()
            finally:
                os.close(descriptor)

    def _write(self, grants: list[Grant]) -> None:
        """Put a whole new file in the place of the old one."""
        draft = self.path.with_name(f"{FILE}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"version": 1, "tokens": [asdict(grant) for grant in grants]}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def digest_of(token: str) -> str:
    """Return the SHA-256 of a token in hex; a random token of 256 bits needs no slow hash."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _decoded(text: str, path: Path) -> tuple[Grant, ...]:
    try:
        document = json.loads(text)
        grants = tuple(Grant(**each) for each in document["tokens"])
        sound = all(
            _NAME.fullmatch(each.name)
            and each.role in ROLES
            and re.fullmatch(r"[0-9a-f]{64}", each.digest)
            and all(type(number) is int for number in (each.made_s, each.expires_s, each.revoked_s))
            for each in grants
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        sound, grants = False, ()
    if not sound:
        raise DataError(f"{path} is not a list of tokens as it was written; delete it, and make the tokens anew")
    return grants
