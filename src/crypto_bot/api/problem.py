"""Errors as RFC 9457 problem details, and the headers that every answer carries."""

from http import HTTPStatus

from fastapi.responses import JSONResponse
from pydantic import BaseModel

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Problem(BaseModel):
    """What went wrong, for a person and for a program."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem_response(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a problem as `application/problem+json` with every safety header."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(
        problem.model_dump(),
        status_code=status,
        headers={**HEADERS, "Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )
