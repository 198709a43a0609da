"""One row of the journal, and the chain of digests that makes a changed or missing row visible."""

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One event with what came of it, as text that is never rewritten.

    `payload` and `outcome` are compact JSON; `decisions_hash` is 16 hex digits; `digest` (32 hex
    digits) covers the row and, through its predecessor, all rows before it.
    """

    sequence: int
    time_ns: int
    kind: str
    payload: str
    outcome: str = "{}"
    decisions_hash: str = ""
    digest: str = ""


def genesis(run_id: str) -> str:
    """Return the digest that stands before the first row of a run: rows of two runs cannot be swapped."""
    return blake2b(run_id.encode(), digest_size=16).hexdigest()


def chain(previous_digest: str, row: JournalRow) -> str:
    """Return the digest of a row that follows `previous_digest`; the row's own digest is not read.

    BLAKE2b-128 over the previous digest and every field, texts preceded by their length so that
    no two different rows are spelled alike.
    """
    kind, payload, outcome, decisions = row.kind, row.payload, row.outcome, row.decisions_hash
    head = (
        f"{previous_digest} {row.sequence} {row.time_ns} {len(kind)} {len(payload)} {len(outcome)} {len(decisions)}\n"
    )
    text = f"{head}{kind}{payload}{outcome}{decisions}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
