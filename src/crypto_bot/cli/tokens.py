"""What the three `token` commands share: the book of tokens, and the line in the audit log."""

import getpass
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crypto_bot.domain.units import format_time

if TYPE_CHECKING:
    from crypto_bot.api.grants import Grant
    from crypto_bot.config.settings import Settings

HEADER = ("name", "role", "made", "expires", "state")


@contextmanager
def on_record(settings: "Settings", action: str, details: Mapping[str, str]) -> Iterator[None]:
    """Write into the audit log what the block does; a block that fails leaves no line."""
    from crypto_bot.persistence.audit import Deed
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.unit_of_work import UnitOfWork

    with (
        Database.open(settings.database.url.get_secret_value()) as database,
        UnitOfWork(database) as work,
    ):
        work.audit.add(
            Deed(time.time_ns(), getpass.getuser(), "command line", action, "done", json.dumps(dict(details)))
        )
        yield
        work.commit()


def row_of(grant: "Grant", now_s: float) -> tuple[str, str, str, str, str]:
    """Return a grant as the cells under `HEADER`."""
    state = "revoked" if grant.revoked_s else "holds" if grant.holds(now_s) else "expired"
    return grant.name, grant.role, _time(grant.made_s), _time(grant.expires_s), state


def _time(seconds: int) -> str:
    return format_time(seconds * 1_000_000_000)
