"""The description of the API is true: made-up requests, right and wrong, are answered as it says, never by a 5xx."""

from collections.abc import Iterator
from typing import Any

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
UNENDING = "/api/stream"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """Serve a run of a hundred bars, and read the description of the API from it."""
    path, rows = tmp_path_factory.mktemp("schema") / "trading.db", list(Grid(bars=100).rows())
    write(path, rows)
    with engine_at(path.parent), client_of(path, path.parent) as client:
        until(client, rows[-1].sequence)
        yield schemathesis.openapi.from_url(f"{client.base_url}/openapi.json", headers=BEARER)


def test_every_route_is_described(schema: BaseSchema) -> None:
    described = {(method.upper(), path) for path in schema for method in schema[path]}
    assert described == set(ACCESS) - {("GET", "/openapi.json")}


@pytest.mark.parametrize(("method", "path"), [route for route in ACCESS if route[1] not in (UNENDING, "/openapi.json")])
def test_every_answer_is_as_described(schema: BaseSchema, method: str, path: str) -> None:
    operation = schema[path][method]
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=st.one_of(right, wrong))
    def ask(case: "schemathesis.Case[APIOperation[Any, Any, Any, Any]]") -> None:
        case.call_and_validate(headers=BEARER)

    ask()
