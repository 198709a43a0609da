"""How often somebody may ask: a budget for each address and each token, and a growing pause after wrong tokens."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

_KNOWN = 4_096

Key = TypeVar("Key")
Value = TypeVar("Value")

PAUSE_MAX_S = 300.0
FORGOTTEN_S = 900.0
"""An address that kept quiet this long after its last wrong token begins anew."""
ENTRIES_MAX = 10_000
"""Addresses and tokens remembered in each table; the longest unused is forgotten first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many requests a second, and how many at once after a rest."""

    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets: of this machine's own addresses, of every other address, and of one token's reads and commands.

    `tries` is how many wrong tokens an address may send before it has to wait.
    """

    loopback: Budget = field(default=Budget(1_000, 2_000))
    address: Budget = field(default=Budget(50, 200))
    reads: Budget = field(default=Budget(1_000, 2_000))
    commands: Budget = field(default=Budget(20, 100))
    tries: int = 5


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


@dataclass(slots=True)
class _Misses:
    count: int
    at_s: float
    until_s: float


class Throttle:
    """Counts requests and wrong tokens; every answer is the number of seconds to wait, 0 for none."""

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nobody known; `clock` counts seconds."""
        self.limits = limits or Limits()
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._misses: OrderedDict[str, _Misses] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, key: str, budget: Budget) -> float:
        """Take one request out of a budget; return the seconds until there is one again, 0 when it was there."""
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(budget.burst, now)
        self._remember(self._buckets, key, bucket)
        bucket.left = min(budget.burst, bucket.left + (now - bucket.at_s) * budget.rate)
        bucket.at_s = now
        if bucket.left < 1:
            return (1 - bucket.left) / budget.rate
        bucket.left -= 1
        return 0.0

    def paused_s(self, address: str) -> float:
        """Return how long an address has still to wait for its wrong tokens."""
        misses = self._misses.get(network_of(address))
        return 0.0 if misses is None else max(0.0, misses.until_s - self._clock())

    def missed(self, address: str) -> float:
        """Count a wrong token; return the pause that follows: 1 s after the free tries, then twice as long each."""
        now, key = self._clock(), network_of(address)
        misses = self._misses.pop(key, None)
        if misses is None or now - misses.at_s > FORGOTTEN_S + PAUSE_MAX_S:
            misses = _Misses(0, now, now)
        self._remember(self._misses, key, misses)
        misses.count, misses.at_s = misses.count + 1, now
        beyond = misses.count - self.limits.tries
        pause_s = min(PAUSE_MAX_S, 2.0 ** min(beyond, 30)) if beyond >= 0 else 0.0
        misses.until_s = now + pause_s
        return pause_s

    def welcome(self, address: str, digest: str) -> None:
        """Remember that this token was right from this address: others' wrong ones do not make it wait."""
        self._seen.pop((address, digest), None)
        self._remember(self._seen, (address, digest), None)

    def is_welcome(self, address: str, digest: str) -> bool:
        """Tell whether this token was right from this address before."""
        return (address, digest) in self._seen

    @staticmethod
    def _remember(table: "OrderedDict[Key, Value]", key: Key, value: Value) -> None:
        table[key] = value
        if len(table) > ENTRIES_MAX:
            table.popitem(last=False)


@lru_cache(_KNOWN)
def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


@lru_cache(_KNOWN)
def network_of(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the /64 that a customer of IPv6 is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
