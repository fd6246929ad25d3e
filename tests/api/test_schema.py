"""The API against its own description: whatever is sent, no server error, and no answer that is not described."""

from __future__ import annotations

import warnings

import httpx2
import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
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
from api.app import create_app
from api.routes import adopt, calendar_page, drill_pages, pages, session

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
CALLERS = {None: 1, AccountRole.VIEWER: 2, AccountRole.DUTY: 2, AccountRole.ADMIN: 8}
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


def _try(operation, url, headers, examples, checks=CHECKS):
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
        answer = case.call(base_url=url, headers=headers, timeout=60, allow_redirects=False)
        case.validate_response(answer, checks=checks)

    attempt()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_form_or_page_fails(school, monkeypatch):
    """The pages are not in the description; described for once, they stand whatever is sent to them."""
    for module in (adopt, calendar_page, drill_pages, pages, session):
        for route in module.router.routes:
            monkeypatch.setattr(route, "include_in_schema", True)
    described = get_openapi(title="pages", version="1", routes=create_app(school.runtime.services()).routes)
    paths = {
        path: one for path, one in described["paths"].items() if not path.startswith(("/api", "/health"))
    }
    assert {"/", "/held/adopt", "/calendar", "/drills", "/sign-in", "/password"} <= set(paths)
    token = school.runtime.accounts.make_token("pages", AccountRole.ADMIN, 1)
    headers = {"authorization": f"Bearer {token}", "origin": school.url}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for result in schemathesis.openapi.from_dict(described | {"paths": paths}).get_all_operations():
            _try(result.ok(), school.url, headers, 2, checks=[not_a_server_error])
