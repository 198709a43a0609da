"""Which role a request needs, looked up in the table of access; what is not in the table is closed."""

import re
from collections.abc import Mapping

from crypto_bot.api.access import ADMIN, OPEN, READ, TRADE

RANK = {OPEN: 0, READ: 1, TRADE: 2, ADMIN: 3}
"""A role may do what a lower one may."""

_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


class Routes:
    """The table of access as patterns of paths."""

    def __init__(self, access: Mapping[tuple[str, str], str]) -> None:
        """Take the table: the role by method and path template."""
        self._patterns = [(method, _pattern(template), role) for (method, template), role in access.items()]
        self._exact = {key: self._highest(*key) for key in access if "{" not in key[1]}

    def needed(self, method: str, path: str) -> str | None:
        """Return the role that a request needs, the highest when several templates fit; None when none does."""
        return self._exact.get((method, path)) or self._highest(method, path)

    def _highest(self, method: str, path: str) -> str | None:
        roles = [role for one, pattern, role in self._patterns if one == method and pattern.fullmatch(path)]
        return max(roles, key=RANK.__getitem__, default=None)

    def methods(self, path: str) -> list[str]:
        """Return the methods that a path knows; nothing when there is no such path."""
        return sorted({method for method, pattern, _ in self._patterns if pattern.fullmatch(path)})


def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for found in _PARAMETER.finditer(template):
        parts.append(re.escape(template[end : found.start()]))
        parts.append(".+" if found[2] else "[^/]+")
        end = found.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)
