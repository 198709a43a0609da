"""Rules for every text file: what is written here is true on any machine."""

import re
from collections.abc import Iterator

from tests.style.tree import Finding, Source

_MACHINE = re.compile(r"(?<![\w.$}~-])/(?:work|root|home/\w|Users/\w|opt/pypi|mnt/\w)|\b[A-Z]:\\Users")
_REGISTRY = re.compile(
    r"pypi\.(?:org|python\.org)|pythonhosted\.org|proxy\.golang\.org|registry\.npmjs\.org|registry\.yarnpkg|"
    r"static\.crates\.io|--(?:extra-)?index-url|--find[-]links|PIP[_]INDEX_URL",
    re.IGNORECASE,
)


def machine_paths(source: Source) -> Iterator[Finding]:
    """No file names a folder of somebody's machine."""
    yield from _matches(source, _MACHINE, "a path of one machine; write it relative to the project or to $HOME")


def registry_hosts(source: Source) -> Iterator[Finding]:
    """No file names a package registry: every installation uses its own."""
    yield from _matches(source, _REGISTRY, "a package registry; leave the choice to the machine's own settings")


def _matches(source: Source, pattern: re.Pattern[str], message: str) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if match := pattern.search(line):
            yield Finding(number, f"{match[0]!r} is {message}")


RULES = (machine_paths, registry_hosts)
