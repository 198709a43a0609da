"""The address of the API: bound once, and handed to whoever serves there."""

import ipaddress
import socket
import time

from crypto_bot.domain.errors import UsageError

_PAUSE_S = 0.1


def listen(
    host: str,
    port: int,
    *,
    behind_proxy: bool = False,
    patience_s: float = 0.0,
    advice: str = "choose another with --port",
) -> socket.socket:
    """Bind the address; for `patience_s` wait for whoever is just leaving it.

    Raises UsageError when it is taken, or open to others without a proxy that encrypts.
    """
    if not behind_proxy and not _is_loopback(host):
        raise UsageError(
            f"the API speaks plain HTTP and {host} can be reached from other machines; use 127.0.0.1,"
            " or put a TLS proxy before it and say --behind-proxy"
        )
    until = time.monotonic() + patience_s
    while True:
        try:
            return _bound(host, port)
        except (OSError, OverflowError) as error:
            if time.monotonic() >= until:
                raise UsageError(f"the API cannot listen on {host} port {port} ({error}); {advice}") from error
        time.sleep(_PAUSE_S)


def url_of(listener: socket.socket) -> str:
    """Return the address as a browser takes it, without a slash at its end."""
    address = listener.getsockname()
    name = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"http://{name}:{address[1]}"


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that say they are TCP: without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
