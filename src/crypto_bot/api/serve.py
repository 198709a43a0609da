"""Serve the API and the page in a process of its own: `python -m crypto_bot.api.serve --state State`."""

import argparse
import asyncio
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from crypto_bot.api.app import create_app
from crypto_bot.api.static import static_folder
from crypto_bot.api.token import load_token
from crypto_bot.domain.errors import CryptoBotError, UsageError
from crypto_bot.persistence.sqlite_file import database_path

_PARENT_CHECK_S = 0.5


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
    os.umask(0o077)
    try:
        listener = _listen(options.host, options.port, behind_proxy=options.behind_proxy)
        with listener:
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
    parser.add_argument("--allow-host", action="append", default=[], help="host name that requests may name")
    parser.add_argument("--behind-proxy", action="store_true", help="a TLS proxy stands before this address")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when the starting process is gone")
    return parser


def _serve(options: argparse.Namespace, listener: socket.socket) -> None:
    database = database_path(options.database or options.state / "trading.db")
    token = load_token(options.state, os.environ)
    hosts = [*options.allow_host, options.host]
    app = create_app(database, token, static_folder(), state_folder=options.state, hosts=hosts)
    server = _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            limit_concurrency=200,
            timeout_graceful_shutdown=2,
        )
    )
    asyncio.run(_run(server, listener, watch_parent=options.exit_with_parent))


async def _run(server: _Server, listener: socket.socket, *, watch_parent: bool) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        sys.stdout.write(json.dumps({"url": _url(listener)}) + "\n")
        sys.stdout.flush()
    parent = os.getppid()
    while watch_parent and not serving.done():
        await asyncio.sleep(_PARENT_CHECK_S)
        server.should_exit |= os.getppid() != parent
    await serving


def _listen(host: str, port: int, *, behind_proxy: bool) -> socket.socket:
    """Bind the address; UsageError when it is taken, or open to others without a proxy that encrypts."""
    if not behind_proxy and not _is_loopback(host):
        raise UsageError(
            f"the API speaks plain HTTP and {host} can be reached from other machines; use 127.0.0.1,"
            " or put a TLS proxy before it and say --behind-proxy"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that say they are TCP: without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(
            f"the API cannot listen on {host} port {port} ({error}); choose another with --port"
        ) from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(listener: socket.socket) -> str:
    address = listener.getsockname()
    name = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"http://{name}:{address[1]}"


if __name__ == "__main__":
    sys.exit(main())
