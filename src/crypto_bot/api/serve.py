"""Serve the API and the page in a process of its own: `python -m crypto_bot.api.serve --state State`."""

import argparse
import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from crypto_bot.api.app import create_app
from crypto_bot.api.connection import CONNECTIONS_MAX, HEAD_BYTES, BoundedConnection
from crypto_bot.api.listen import check_surroundings, listen, url_of
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.static import static_folder
from crypto_bot.api.token import load_token
from crypto_bot.config.logs import configure_logging, log_uncaught
from crypto_bot.config.privacy import keep_private
from crypto_bot.config.secret_sources import values_in
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.persistence.sqlite_file import address_of, is_server

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_CHECK_S = 0.5


class _Server(uvicorn.Server):
    """A server that ends in order, with exit status 0, on SIGINT and SIGTERM."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask for the end instead of dying of the signal afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; print one JSON line with the address when listening. Returns the exit status."""
    options = _parser().parse_args(arguments)
    keep_private()
    try:
        with _listener(options) as listener:
            _serve(options, listener)
    except CryptoBotError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crypto_bot.api.serve", description="Serve the API and the page.")
    parser.add_argument("--state", type=Path, default=Path("State"), help="state folder (default State)")
    parser.add_argument("--database", help="file or sqlite:/// URL (default trading.db in the state folder)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one (default 8080)")
    parser.add_argument("--logs", type=Path, help="folder of the log (default logs in the state folder)")
    parser.add_argument("--log-level", default="INFO", choices=LEVELS, help=", ".join(LEVELS))
    parser.add_argument("--allow-host", action="append", default=[], help="host name that requests may name")
    parser.add_argument("--allow-origin", action="append", default=[], help="page of another's that may call")
    parser.add_argument("--behind-proxy", action="store_true", help="a TLS proxy stands before this address")
    parser.add_argument(
        "--trusted-proxy", action="append", default=[], metavar="ADDRESS", help="whose X-Forwarded-For is believed"
    )
    parser.add_argument("--listener", type=int, metavar="N", help="file descriptor that listens already")
    parser.add_argument(
        "--exit-with-parent", type=int, nargs="?", const=os.getppid(), metavar="PID",
        help="end when the process that started this one is gone",
    )  # fmt: skip
    return parser


def _listener(options: argparse.Namespace) -> socket.socket:
    """Return the socket that the starting process holds, or bind one; UsageError for an address that is unsafe."""
    if options.listener is None:
        return listen(options.host, options.port, _surroundings(options))
    listener = socket.socket(fileno=options.listener)
    check_surroundings(str(listener.getsockname()[0]), _surroundings(options))
    return listener


def _surroundings(options: argparse.Namespace) -> Surroundings:
    hosts = [*options.allow_host, options.host]
    return Surroundings(hosts, options.allow_origin, options.trusted_proxy, https=options.behind_proxy)


def _serve(options: argparse.Namespace, listener: socket.socket) -> None:
    database = address_of(options.database or _from_environment() or options.state / "trading.db")
    token = load_token(options.state, os.environ)
    folder = options.logs or options.state / "logs"
    configure_logging(options.log_level, folder, name="web", secrets=[token, *values_in(os.environ)])
    log_uncaught()
    app = create_app(database, token, static_folder(), state_folder=options.state, around=_surroundings(options))
    asyncio.run(run(app, listener, parent=options.exit_with_parent))


def server_config(app: FastAPI) -> uvicorn.Config:
    """Return how the application is served: no name, no version, no proxy believed by default, everything bounded."""
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
    )


def _from_environment() -> str:
    """Return the URL of a server, which holds a password and so comes in no argument."""
    url = os.environ.get("DATABASE_URL", "")
    return url if is_server(url) else ""


async def run(app: FastAPI, listener: socket.socket, *, parent: int | None = None) -> None:
    """Serve until a signal, until `parent` is another process, or until nothing follows the journal any more.

    What ended the following is raised: an old state is not shown as if it were the present one.
    """
    server = _Server(server_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        gc.collect()
        gc.freeze()  # looking through all modules for cycles takes as long as a hundred requests
        sys.stdout.write(json.dumps({"url": url_of(listener)}) + "\n")
        sys.stdout.flush()
    while not serving.done():
        server.should_exit |= app.state.following.done() or parent not in (None, os.getppid())
        await asyncio.wait([serving], timeout=_CHECK_S)
    await serving
    if server.started and not app.state.following.cancelled():
        await app.state.following


if __name__ == "__main__":
    os.environ.setdefault("CRYPTO_BOT_COMPILE", "0")  # a story imports the kernel's words, and nothing here decides
    sys.exit(main())
