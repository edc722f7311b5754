"""What is larger than Slack and GitHub send is refused before its signature is looked at, also when it is packed."""

import gzip
import io

import pytest

from tests.flows.stage import Stage

pytestmark = pytest.mark.either_database

ROUTES = {"/github/webhooks": 26_214_400, "/slack/events": 1_048_576}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_packed_body_counts_as_large_as_it_is_unpacked(stage: Stage, route: str) -> None:
    packed = gzip.compress(b"0" * (ROUTES[route] + 1), 6)
    assert len(packed) < ROUTES[route] // 100
    headers = {"Content-Encoding": "gzip"}
    async with stage.context.session.post(
        stage.address(route), data=io.BytesIO(packed), headers=headers
    ) as response:
        assert response.status == 413


@pytest.mark.parametrize("route", [*ROUTES, "/healthz"])
async def test_long_lines_long_headers_and_many_headers_are_refused(stage: Stage, route: str) -> None:
    method = "GET" if route == "/healthz" else "POST"
    many = {f"X-{number}": "1" for number in range(140)}
    for query, headers in (("", {"X-Long": "a" * 9_000}), ("", many), (f"?{'a' * 9_000}", {})):
        address = stage.address(route) + query
        async with stage.context.session.request(method, address, headers=headers) as response:
            assert response.status == 400
