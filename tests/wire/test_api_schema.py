"""The description of the API is true: made-up requests, right and wrong, are answered as it says, never by a 5xx."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema

from crypto_bot.api.access import ACCESS
from tests.grid_run import Grid
from tests.wire.engines import engine_at
from tests.wire.serving import BEARER, client_of, until, write

EXAMPLES = 30
DESCRIPTION = ("GET", "/openapi.json")
DESCRIBED = sorted(set(ACCESS) - {DESCRIPTION})
READS = [route for route in DESCRIBED if route[0] == "GET"]

Case = schemathesis.Case[APIOperation[Any, Any, Any, Any]]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """Serve a run of a hundred bars and its engine, and read the description of the API from it."""
    path, rows = tmp_path_factory.mktemp("schema") / "trading.db", list(Grid(bars=100).rows())
    write(path, rows)
    with engine_at(path.parent), client_of(path, path.parent) as client:
        until(client, rows[-1].sequence)
        yield schemathesis.openapi.from_url(f"{client.base_url}/openapi.json", headers=BEARER)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """Serve an empty folder."""
    folder = tmp_path_factory.mktemp("nothing")
    with client_of(folder / "trading.db", folder) as client:
        yield schemathesis.openapi.from_url(f"{client.base_url}/openapi.json", headers=BEARER)


def ask_and_check(schema: BaseSchema, method: str, path: str) -> None:
    """Ask with made-up values, half of them as described, half not; every check of schemathesis holds."""
    operation = schema[path][method]
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE).filter(arrives)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=st.one_of(right, wrong))
    def ask(case: Case) -> None:
        if path.endswith("/stream"):
            case.validate_response(beginning(case), headers=BEARER)
        else:
            case.call_and_validate(headers=BEARER)

    ask()


def arrives(case: Case) -> bool:
    """Tell whether every parameter leaves a trace in the address; nothing, or a list of nothing, leaves none."""
    sent = case.as_transport_kwargs(headers=BEARER).get("params") or {}
    listed = {name: value if isinstance(value, list | tuple) else [value] for name, value in sent.items()}
    there = {name for name, values in listed.items() if any(each is not None and each != [] for each in values)}
    return set(case.query or {}) <= there


def beginning(case: Case) -> schemathesis.Response:
    """Return the answer with as much of its body as came first: a stream of events never ends by itself."""
    asked = case.as_transport_kwargs(headers=BEARER)
    sent = {name: asked[name] for name in ("method", "url", "params", "headers", "cookies") if asked.get(name)}
    with httpx.Client(timeout=60) as client, client.stream(**sent) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            answer._content = next(answer.iter_bytes())
            assert answer._content.startswith(b"event: hello\n")
        else:
            answer.read()
        answer.close()
        return schemathesis.Response.from_httpx(answer, verify=True)


def test_every_route_is_described(schema: BaseSchema) -> None:
    described = {(method.upper(), path) for path in schema for method in schema[path]}
    assert described == set(DESCRIBED)


@pytest.mark.parametrize(("method", "path"), DESCRIBED)
def test_every_answer_is_as_described(schema: BaseSchema, method: str, path: str) -> None:
    ask_and_check(schema, method, path)


@pytest.mark.parametrize(("method", "path"), READS)
def test_so_it_is_while_nothing_runs_and_nothing_is_stored(nothing: BaseSchema, method: str, path: str) -> None:
    ask_and_check(nothing, method, path)
