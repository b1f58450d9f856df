"""The API held to its own description: whatever is sent, no fault, and an answer that the description names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction, Response, checks
from schemathesis.specs.openapi import checks as openapi_checks

from lacuna.pipelines.board import make_app
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state

ADDRESS = "http://testserver"
FROM_BOARD = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
# What is sent is chosen by a fixed seed, so that a failure is the same everywhere.
BOUNDED = settings(
    derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
HOLDS: list[CheckFunction] = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]


@pytest.fixture
def described(store: Path) -> Iterator[schemathesis.schemas.BaseSchema]:
    """The API's own description, of a board that refuses nobody for asking often."""
    ours = load_settings()
    often = {"requests_a_minute": 1_000_000, "changes_a_minute": 1_000_000}
    ours = ours.model_copy(update={"board": ours.board.model_copy(update=often)})
    with open_state(ours, store) as state:
        schema = schemathesis.openapi.from_asgi(
            "/api/openapi.json", make_app(store, ours, state, "Rita", {"testserver"})
        )
        schema.config.update(base_url=ADDRESS, headers=FROM_BOARD)
        yield schema


def test_every_operation_answers_as_it_is_described(described: schemathesis.schemas.BaseSchema) -> None:
    """Right and wrong requests alike."""
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @settings(BOUNDED, max_examples=12)
        @given(case=st.one_of(operation.as_strategy(), wrong))
        def holds(case: Case) -> None:
            case.call_and_validate(headers=FROM_BOARD, checks=HOLDS)

        holds()


def test_what_follows_from_an_answer_is_answered_too(described: schemathesis.schemas.BaseSchema) -> None:
    """Decisions and undoing, edits and undoing, one after the other by the links of the description."""
    described.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])
    codes: set[int] = set()

    class Machine(described.as_state_machine()):
        """Sends each request as the board's own pages do, and holds each answer to the description."""

        def validate_response(self, response: Response, case: Case, **_: object) -> None:
            codes.add(response.status_code)
            case.validate_response(response, checks=HOLDS)

    Machine.run(settings=settings(BOUNDED, max_examples=12, stateful_step_count=12))
    assert codes >= {200, 201, 409}
