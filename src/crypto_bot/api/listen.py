"""The address of the API: bound once, and handed to whoever serves there."""

import ipaddress
import re
import socket
import time
from urllib.parse import urlsplit

from crypto_bot.api.origin import LOOPBACK, Surroundings
from crypto_bot.api.throttle import is_loopback
from crypto_bot.domain.errors import UsageError

_PAUSE_S = 0.1
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)


def listen(
    host: str,
    port: int,
    around: Surroundings | None = None,
    *,
    patience_s: float = 0.0,
    advice: str = "choose another with --port",
) -> socket.socket:
    """Bind the address; for `patience_s` wait for whoever is just leaving it.

    Raises UsageError when it is taken, or unsafe: see `check_surroundings`.
    """
    check_surroundings(host, around or Surroundings())
    until = time.monotonic() + patience_s
    while True:
        try:
            return _bound(host, port)
        except (OSError, OverflowError) as error:
            if time.monotonic() >= until:
                raise UsageError(f"the API cannot listen on {host} port {port} ({error}); {advice}") from error
        time.sleep(_PAUSE_S)


def check_surroundings(address: str, around: Surroundings) -> None:
    """Refuse every way of serving that would let somebody in who should not be: UsageError says what is missing.

    An address that others can reach needs a proxy that encrypts (`https`), the proxy's own address, and a
    host name; lists never hold a wildcard.
    """
    for host in around.hosts:
        if not _NAME.fullmatch(host.partition(":")[0]) and not _is_address(host):
            raise UsageError(f"{host!r} cannot be a host name of the API; name each one exactly, never *")
    for origin in around.origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or "*" in origin or f"{parts.scheme}://{parts.netloc}" != origin:
            raise UsageError(f"{origin!r} is not an exact origin like https://desk.example, and * is never allowed")
    for proxy in around.proxies:
        if not _is_address(proxy) or ipaddress.ip_address(proxy).is_unspecified:
            raise UsageError(f"{proxy!r} is not the address of a proxy; name each one, never a wildcard or a network")
    if around.proxies and not around.https:
        raise UsageError("--trusted-proxy is of use only with --behind-proxy, which says that the proxy encrypts")
    if is_loopback(address):
        return
    if not around.https:
        raise UsageError(
            f"the API speaks plain HTTP and {address} can be reached from other machines; use 127.0.0.1,"
            " or put a TLS proxy before it and say --behind-proxy"
        )
    if not around.proxies:
        raise UsageError(
            f"{address} can be reached from other machines; say with --trusted-proxy which address the proxy calls from"
        )
    if not any(name for name in around.names - LOOPBACK if not _is_address(name)):
        raise UsageError(f"{address} can be reached from other machines; say with --allow-host what name the proxy has")


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


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
