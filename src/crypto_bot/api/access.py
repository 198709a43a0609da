"""Who may do what: the role that each route needs, and who asks."""

from dataclasses import dataclass

OPEN, READ, TRADE, ADMIN = "open", "read", "trade", "admin"
ROLES = (READ, TRADE, ADMIN)
"""From the least to the most; a later one may do whatever an earlier one may."""

ACCESS: dict[tuple[str, str], str] = {
    ("GET", "/health"): OPEN,
    ("GET", "/openapi.json"): READ,
    ("GET", "/metrics"): READ,
    ("GET", "/api/status"): READ,
    ("GET", "/api/pnl"): READ,
    ("GET", "/api/equity"): READ,
    ("GET", "/api/orders"): READ,
    ("GET", "/api/positions"): READ,
    ("GET", "/api/trades"): READ,
    ("GET", "/api/strategies"): READ,
    ("GET", "/api/ohlcv"): READ,
    ("GET", "/api/risk"): READ,
    ("GET", "/api/alerts"): READ,
    ("GET", "/api/runs"): READ,
    ("GET", "/api/recommendations"): READ,
    ("GET", "/api/why/{order_id}"): READ,
    ("GET", "/api/commands/{key}"): READ,
    ("GET", "/api/stream"): READ,
    ("POST", "/api/orders/cancel"): TRADE,
    ("POST", "/api/orders/cancel-all"): TRADE,
    ("POST", "/api/risk/halt"): TRADE,
    ("POST", "/api/risk/emergency-stop"): TRADE,
    ("POST", "/api/risk/flatten"): TRADE,
    ("POST", "/api/risk/resume"): TRADE,
    ("POST", "/api/risk/reset-circuit-breaker"): TRADE,
    ("POST", "/api/strategies/{name}/parameters"): TRADE,
    ("POST", "/api/strategies/{name}/start"): TRADE,
    ("POST", "/api/strategies/{name}/stop"): TRADE,
}
"""The role a route needs, by method and path template; a route that is missing here is closed to everybody."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name of the token, its role, and the address the request came from."""

    name: str
    role: str
    origin: str
