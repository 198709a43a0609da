"""The description of the API, made from its routes: OpenAPI with what FastAPI tells in one way for all put right."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_NULL = {"type": "null"}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application; it is made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
        for path in document["paths"].values():
            for operation in path.values():
                for parameter in operation.get("parameters", ()):
                    _require(parameter)
                for answer in operation["responses"].values():
                    _retype(answer)
        app.openapi_schema = document
    return app.openapi_schema


def _require(parameter: dict[str, Any]) -> None:
    """Let a parameter that may be left out be told without null, which no address can spell."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != _NULL]
    if len(kinds) == 1:
        parameter["schema"] = {**schema, **kinds[0]}


def _retype(answer: dict[str, Any]) -> None:
    """Let a problem be told as what it is sent as; FastAPI tells the media type of the good answer."""
    for told in list(answer.get("content", {}).values()):
        if told.get("schema") == _PROBLEM:
            answer["content"] = {"application/problem+json": told}
