"""Answers that go on for hours end when the token does that opened them."""

import time
from collections.abc import Callable

from starlette.types import Message, Send

LOOK_S = 1.0
"""How often a token is looked at again while an answer goes on."""


class Ended(Exception):
    """The token that opened an answer holds no longer."""


def while_it_holds(send: Send, holds: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> Send:
    """Pass on the parts of an answer; raise Ended, after closing it, at the first part after the token's end."""
    looked_s = clock()

    async def send_while_it_holds(message: Message) -> None:
        nonlocal looked_s
        if message["type"] == "http.response.body" and message.get("more_body") and clock() - looked_s >= LOOK_S:
            looked_s = clock()
            if not holds():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise Ended
        await send(message)

    return send_while_it_holds
