"""The API against its own description: whatever is sent, no server error, and no answer that is not described."""

from __future__ import annotations

import warnings

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.accounts import AccountRole

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: an answer that never ends; looked at in test_api.py
ENDLESS = {"/api/live"}
#: what each caller is tried with, in examples an operation: a refusal is the same whatever is sent
CALLERS = {None: 1, AccountRole.VIEWER: 2, AccountRole.DUTY: 2, AccountRole.ADMIN: 12}
KNOWN = {"device_id": "freezer-1", "alert_id": 1, "entry_id": 1, "address": "Nobody"}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", CALLERS)
def test_the_api_does_as_it_says(school, role):
    """Every operation, for every role: no server error, each status described, its content of the type and form described."""
    school.publish("zigbee2mqtt/Nobody", b'{"temperature": 1}')
    school.runtime.book.raise_own("service.disk_low", "school", {"free_gb": 1.0}, school.runtime.now_ms())
    token = school.runtime.accounts.make_token("fuzzed", role, 1) if role else ""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    description = httpx2.get(f"{school.url}/openapi.json", timeout=30).json()
    tried = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_dict(description)
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path not in ENDLESS:
                _try(operation, school.url, headers, CALLERS[role])
                tried.add(operation.path)
    assert tried == set(description["paths"]) - ENDLESS


def _try(operation, url, headers, examples):
    """As described, and as not described; for half of them what the path names exists."""
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if next(operation.iter_parameters(), None) is not None or operation.body:
        cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=strategies.booleans())
    def attempt(case, known):
        if known:
            case.path_parameters = {name: KNOWN.get(name, one) for name, one in case.path_parameters.items()}
        answer = case.call(base_url=url, headers=headers, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    attempt()
