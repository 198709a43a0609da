"""The application over a journal, served on loopback from a thread."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from crypto_bot.api.app import create_app
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.serve import server_config
from crypto_bot.api.static import static_folder
from crypto_bot.api.throttle import Budget, Limits, Throttle
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.runs import RunRecord, Runs
from tests.grid_run import RUN_ID

TOKEN = "test-token"
AROUND = Surroundings(hosts=["bot.example"], origins=["https://desk.example"])
_MUCH = Budget(1e9, 1e9)
UNLIMITED = Limits(_MUCH, _MUCH, _MUCH, _MUCH, tries=1_000_000_000)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def write(path: Path, rows: list[JournalRow]) -> None:
    with Database.open(path) as database, Journal(database, RUN_ID, Projector(database, RUN_ID)) as journal:
        if not rows or rows[0].sequence == 0:
            Runs(database).start(RunRecord(RUN_ID, "run", "forward", "running", 1))
        journal.append(rows)


@contextmanager
def client_of(
    path: Path, state_folder: Path | None = None, *, throttle: Throttle | None = None
) -> Iterator[httpx.Client]:
    """Serve the application on loopback from a thread, and give a client that has the token."""
    app = create_app(
        path, TOKEN, static_folder(), state_folder=state_folder, around=AROUND, throttle=throttle or Throttle(UNLIMITED)
    )
    server = uvicorn.Server(server_config(app))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=base, headers=BEARER, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def until(client: httpx.Client, sequence: int) -> dict[str, object]:
    for _ in range(3_000):
        status: dict[str, object] = client.get("/api/status").json()
        if status["sequence"] == sequence:
            return status
        time.sleep(0.02)
    raise AssertionError(f"the replica stays at {status['sequence']}: {status['problem']}")
