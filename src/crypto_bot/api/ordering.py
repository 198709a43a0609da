"""Handing a command to the engine: who sends it and from where, once for its key, and what comes back."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Depends, Header, HTTPException, Request

from crypto_bot.api.access import Principal
from crypto_bot.api.asking import Following
from crypto_bot.api.command_answers import Done
from crypto_bot.api.follow import Follower
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.units import format_time
from crypto_bot.persistence.migrating import sync_folder
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.persistence.sqlite_file import translated
from crypto_bot.runtime.line import Request as Asked
from crypto_bot.runtime.line import ask_soon
from crypto_bot.runtime.receipts import Receipt

KEY = r"^[A-Za-z0-9._:~-]{1,100}$"
EMERGENCY_S = 0.8
"""How long an emergency stop waits for the engine before it takes the other way."""

_STATUS = {"refused": 409, "unknown": 404, "wrong": 422, "reused": 409, "unanswered": 503}

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=KEY, description="Sent again under the same key, a command happens once."),
]


@dataclass(frozen=True)
class Sender:
    """Who sends a command, under which key, to the engine of which folder."""

    follower: Follower
    principal: Principal
    key: str

    async def order(self, command: CommandEvent, *, patience_s: float = 5.0) -> Done:
        """Have a command carried out; 404, 409 and 503 say why it was not."""
        folder, principal = self.follower.state_folder, self.principal
        if folder is None:
            raise HTTPException(503, "This server knows no state folder, so that it cannot reach the bot.")
        sent = _signed(command, principal, self.key)
        try:
            reply = (await ask_soon(folder, Asked("command", sent), patience_s=patience_s)).reply
        except RunFailed as error:
            raise HTTPException(503, str(error)) from error
        if reply is None or reply.receipt is None:
            sentence = "" if reply is None else reply.sentence
            raise HTTPException(_STATUS.get("" if reply is None else reply.result, 503), sentence)
        return done_answer(reply.receipt)

    async def stop(self, command: CommandEvent) -> tuple[int, Done]:
        """Stop opening whatever happens: by the engine, or, when it does not answer, by the flag file."""
        try:
            return 200, await self.order(command, patience_s=EMERGENCY_S)
        except HTTPException as error:
            folder = self.follower.state_folder
            if error.status_code != 503 or folder is None:
                raise
            raise_flag(folder)
            detail = (
                f"The bot does not answer; the file {folder / 'HALT'} keeps it from opening positions. {error.detail}"
            )
            return 202, Done(
                key=self.key, result="accepted", detail=detail, run_id=None, sequence=None, time=None,
                command=command.command, by=self.principal.name, origin=self.principal.origin, reason=command.reason,
                cancelled=0, halted=True,
            )  # fmt: skip


async def sender_of(request: Request, follower: Following, key: Key = None) -> Sender:
    """Return who sends; without a key of their own they get one."""
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return Sender(follower, principal, key or secrets.token_hex(16))


Sending = Annotated[Sender, Depends(sender_of)]


def done_answer(receipt: Receipt) -> Done:
    """Tell a receipt."""
    command = receipt.command
    return Done(
        key=command.key if isinstance(command.key, str) else "",
        result="done",
        detail=f"Row {receipt.sequence} of run {receipt.run_id}.",
        run_id=receipt.run_id,
        sequence=receipt.sequence,
        time=format_time(receipt.time_ns),
        command=command.command,
        by=command.by,
        origin=command.origin if isinstance(command.origin, str) else "",
        reason=command.reason,
        cancelled=receipt.cancelled,
        halted=receipt.halt != 0,
    )


def raise_flag(folder: Path) -> None:
    """Create the file that keeps a bot from opening positions, durably; nothing happens when it is there."""
    flag = folder / "HALT"
    with translated(flag):
        os.close(os.open(flag, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        sync_folder(folder)


def _signed(command: CommandEvent, principal: Principal, key: str) -> CommandEvent:
    return msgspec.structs.replace(command, by=principal.name, origin=principal.origin, key=key)
