"""The web process beside the engine: started, told where to listen, started again when it dies.

It holds no keys and never trades; the engine goes on without it.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from crypto_bot.domain.errors import RunFailed

_PAUSE_S = 2.0
_LISTEN_S = 20.0


@dataclass(frozen=True)
class WebPlace:
    """Where the web process reads and listens."""

    state: Path
    database: str
    host: str
    port: int


class Web:
    """A child process with the API and the page."""

    def __init__(self, place: WebPlace) -> None:
        """Name the place; nothing is started yet."""
        self._place = place
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start the process and return its address; RunFailed says why it did not come up."""
        url = await self._spawn()
        self._keeper = asyncio.create_task(self._keep_alive())
        return url

    async def stop(self) -> None:
        """End the process in order."""
        if self._keeper is not None:
            self._keeper.cancel()
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()

    async def _spawn(self) -> str:
        place = self._place
        words = ["--state", str(place.state), "--database", place.database]
        words += ["--host", place.host, "--port", str(place.port), "--exit-with-parent"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "crypto_bot.api.serve",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _LISTEN_S)
        except TimeoutError:
            self._process.kill()
            raise RunFailed(
                f"the web process did not answer within {_LISTEN_S:g} s; use --no-api to run without it"
            ) from None
        if not line:
            said = (await self._process.stderr.read()).decode(errors="replace").strip().splitlines()
            why = said[-1] if said else "it ended at once"
            raise RunFailed(f"the web process did not start: {why}")
        return str(json.loads(line)["url"])

    async def _keep_alive(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            await asyncio.sleep(_PAUSE_S)
            try:
                await self._spawn()
            except RunFailed:
                continue
