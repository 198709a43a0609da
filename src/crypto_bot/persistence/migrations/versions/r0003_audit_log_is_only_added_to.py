"""The audit log holds every command of the journals there are, and the database refuses to change its lines."""

import json
import time
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQLITE = (
    "CREATE TRIGGER audit_log_no_{0} BEFORE {0} ON audit_log"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
)
_FUNCTION = (
    "CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$"
)
_SERVER = (
    "CREATE TRIGGER audit_log_no_{0} BEFORE {0} ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stays()"
)


def upgrade() -> None:
    """Write down the commands that came before, then close the log to everything but new lines."""
    connection = op.get_bind()
    _write_down(connection)
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(verb))
    else:
        op.execute(_FUNCTION)
        for verb in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(_SERVER.format(verb))


def _write_down(connection: sa.Connection) -> None:
    query = "SELECT run_id, sequence, time_ns, payload FROM journal WHERE kind = 'COMMAND' ORDER BY run_id, sequence"
    last = connection.execute(sa.text("SELECT id, digest FROM audit_log ORDER BY id DESC LIMIT 1")).first()
    number, digest = (last[0] + 1, last[1]) if last else (0, blake2b(b"audit", digest_size=16).hexdigest())
    insert = sa.text(
        "INSERT INTO audit_log (id, timestamp, actor, origin, action, details, result, digest)"
        " VALUES (:id, :timestamp, :actor, :origin, :action, :details, :result, :digest)"
    )
    for run_id, sequence, time_ns, payload in connection.execute(sa.text(query)).all():
        asked = json.loads(payload)
        actor, origin, action = (str(asked.pop(name, "")) for name in ("by", "origin", "command"))
        details = json.dumps({"run": run_id, "row": sequence, "time": time_ns, **asked}, separators=(",", ":"))
        line = {
            "id": number, "timestamp": time.time_ns(), "actor": actor, "origin": origin, "action": action,
            "details": details, "result": "done",
        }  # fmt: skip
        digest = _link(digest, line)
        connection.execute(insert, {**line, "digest": digest})
        number += 1


def _link(before: str, line: dict[str, str | int]) -> str:
    """Chain a line as the log does."""
    texts = [str(line[name]) for name in ("actor", "origin", "action", "details", "result")]
    head = " ".join(str(each) for each in (line["id"], line["timestamp"], *map(len, texts)))
    text = f"{before} {head}\n{''.join(texts)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
