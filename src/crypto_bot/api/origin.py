"""Where a request comes from: the address behind a proxy, the host name it asks for, the page that sent it."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import Scope

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_NAMES = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  # nosec B104: refused as a name, not listened on
_CROSS = ("cross-site", "same-site")
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"


@dataclass(frozen=True)
class Surroundings:
    """What stands around the server.

    `hosts` are names that requests may be addressed to beside the loopback ones, `origins` pages of others
    that may call, `proxies` addresses whose X-Forwarded-For is believed; `https` says that a proxy encrypts.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    proxies: Collection[str] = ()
    https: bool = False
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Normalise the host names."""
        given = {name.lower() if ":" in name.partition(":")[2] else host_name(name) for name in self.hosts}
        object.__setattr__(self, "names", LOOPBACK | given - _NO_NAMES)

    def answers_to(self, host: str) -> bool:
        """Tell whether a Host header names this server: a page whose name was bent to this address is found out."""
        return host_name(host) in self.names

    def may_ask(self, headers: Headers) -> bool:
        """Tell whether the page that sent this is ours, or one of the listed, or no page at all sent it.

        A browser always names the page of a request that could change something, and of every fetch across
        origins; for the rest newer ones say whether the page is of another site.
        """
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") not in _CROSS
        return self.is_listed(origin) or origin in self._own(headers.get("host", ""))

    def is_listed(self, origin: str | None) -> bool:
        """Tell whether a page of another's may call the API."""
        return origin is not None and origin in self.origins

    def permission(self, origin: str, preflight: bool) -> dict[str, str]:
        """Return the CORS headers for a listed origin; it is named, never `*`, and no cookie is ever allowed."""
        headers = {"Access-Control-Allow-Origin": origin, "Cross-Origin-Resource-Policy": "cross-origin"}
        if preflight:
            headers |= {
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": "600",
            }
        else:
            headers["Access-Control-Expose-Headers"] = "Retry-After, Location"
        return headers

    def came_by_proxy(self, scope: Scope) -> bool:
        """Tell whether a request came encrypted, or never left this machine."""
        client = scope.get("client")
        peer = _plain(str(client[0])) if client else ""
        return not self.https or peer in self.proxies or peer in LOOPBACK or peer.startswith("127.")

    def address_of(self, scope: Scope, headers: Headers) -> str:
        """Return who asks: the peer, or, when that is a listed proxy, the nearest address that is none."""
        client = scope.get("client")
        peer = _plain(str(client[0])) if client else ""
        if peer not in self.proxies:
            return peer
        forwarded = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for text in reversed([each.strip() for each in forwarded if each.strip()]):
            address = _plain(text)
            if not address:
                return peer
            if address not in self.proxies:
                return address
        return peer

    def _own(self, host: str) -> tuple[str, ...]:
        host = host.lower()
        return (f"https://{host}",) if self.https else (f"http://{host}", f"https://{host}")


@lru_cache(4_096)
def _plain(text: str) -> str:
    """Return an address in its usual spelling, an IPv4 one inside IPv6 as itself; "" for what is none."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def host_name(value: str) -> str:
    """Return the name in a Host header, lower case, without its port: `[::1]:8080` gives `::1`."""
    if value.startswith("["):
        return value[1:].partition("]")[0].lower()
    return value.partition(":")[0].lower()
