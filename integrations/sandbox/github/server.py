"""The HTTP server: identifies, matches, checks, answers and records every request."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import cast

from aiohttp import web

from integrations.sandbox.faults import FaultPlan, is_dropped
from integrations.sandbox.github import routes_alerts, routes_app, routes_people, routes_public
from integrations.sandbox.github.admission import admit
from integrations.sandbox.github.alerts import AlertBuilders
from integrations.sandbox.github.authentication import Authenticator
from integrations.sandbox.github.calls import (
    Call,
    Principal,
    RecordedRequest,
    Refusal,
    Route,
    RouteResponse,
)
from integrations.sandbox.github.graphql import GraphQl
from integrations.sandbox.github.limits import Limits
from integrations.sandbox.github.openapi import AnswerMismatch, Operation, load_description
from integrations.sandbox.github.records import JsonObject
from integrations.sandbox.github.registration import RegistrationPages
from integrations.sandbox.github.releases import release_of
from integrations.sandbox.github.repositories import RepositoryBuilders
from integrations.sandbox.github.shapes import timestamp
from integrations.sandbox.github.sign_in import SignInPages
from integrations.sandbox.github.user_tokens import TokensOfUsers
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubWorld

PREFIX = "/api/v3"
ROUTES: Mapping[str, Route] = {
    route.operation: route
    for route in (
        *routes_alerts.ROUTES,
        *routes_app.ROUTES,
        *routes_people.ROUTES,
        *routes_public.ROUTES,
    )
}
FREE = frozenset({"rate-limit/get"})
GRAPHQL_PATH = "/api/graphql"
"""GitHub's docs: `/graphql` on github.com, `/api/graphql` on Enterprise Server."""
GRAPHQL = Route("graphql", lambda _: RouteResponse(404), "any_token")


class GitHubServer:
    """Answers requests about one world and records them; changes go through the builders."""

    def __init__(
        self,
        world: GitHubWorld,
        alerts: AlertBuilders,
        repositories: RepositoryBuilders,
        webhooks: Webhooks,
        user_tokens: TokensOfUsers,
        authenticator: Authenticator,
        *,
        check_answers: bool,
    ) -> None:
        self.faults = FaultPlan()
        self.requests: list[RecordedRequest] = []
        self.violations: list[str] = []
        self.unexpected: list[str] = []
        self.limits = Limits(world)
        self._world = world
        self._alerts = alerts
        self._webhooks = webhooks
        self._user_tokens = user_tokens
        self._graphql = GraphQl(world, self.limits, self.violations)
        self._sign_in = SignInPages(world, user_tokens, self.violations)
        self._registration = RegistrationPages(world, repositories)
        self._authenticator = authenticator
        self._check_answers = check_answers
        self._description = load_description()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler: record the request, then answer it through the faults."""
        raw = await request.read()
        record = self._record(request, raw)
        self.requests.append(record)
        effect = functools.partial(self._respond, request, record)
        response = await self.faults.guard(request, f"{record.method} {record.path}", effect)
        record.status = None if is_dropped(request) else response.status
        return response

    def _record(self, request: web.Request, raw: bytes) -> RecordedRequest:
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        return RecordedRequest(
            method=request.method,
            path="/graphql" if request.path == GRAPHQL_PATH else request.path.removeprefix(PREFIX),
            query=dict(request.query),
            auth=None,
            authorized="Authorization" in request.headers,
            body=body,
            user_agent=request.headers.get("User-Agent"),
            version=request.headers.get("X-GitHub-Api-Version"),
            accept=request.headers.get("Accept"),
            at=self._world.now(),
        )

    async def _respond(self, request: web.Request, record: RecordedRequest) -> web.Response:
        shown = self._sign_in.answer(request, record) or self._registration.answer(request, record)
        if shown is not None:
            return shown
        headers: dict[str, str] = {}
        try:
            if request.path == GRAPHQL_PATH and request.method == "POST":
                return self._graphql.answer(record, self._identify_for_graphql(request, record, headers))
            answer = self._answer(request, record, headers)
        except Refusal as refusal:
            answer = refusal.answer()
        except AnswerMismatch as mismatch:
            self.violations.append(f"defect of the stand-in: {mismatch}")
            answer = Refusal(500, str(mismatch)).answer()
        headers["Date"] = formatdate(self._world.now(), usegmt=True)
        return _http_response(request, answer, headers)

    def _answer(
        self, request: web.Request, record: RecordedRequest, headers: dict[str, str]
    ) -> RouteResponse:
        operation, path = self._match(request, record)
        route = ROUTES[operation.id]
        self._check_headers(record, headers)
        release = release_of(self._world.installed_version)
        for problem in release.problems(operation, record.query, record.body) if release else ():
            self._violation(record, problem)
        principal = self._identify(request, record, route)
        window = self.limits.window(principal, request.remote or "")
        if operation.id not in FREE:
            self.limits.spend(window)
        headers.update(window.headers())
        headers.update(_token_headers(principal))
        call = Call(
            github=self._world,
            alerts=self._alerts,
            user_tokens=self._user_tokens,
            webhooks=self._webhooks,
            principal=principal,
            method=request.method,
            path=path,
            url=f"{self._world.api_url}{record.path}",
            raw_query=record.query,
            version=record.version,
            rate=window.shape(),
        )
        admit(call, route)
        self._read_input(call, operation, record)
        answer = route.handler(call)
        if self._check_answers:
            operation.check_answer(answer.status, answer.body)
        if release is not None:
            return replace(answer, body=release.shown(operation, answer.body))
        return answer

    def _match(self, request: web.Request, record: RecordedRequest) -> tuple[Operation, dict[str, str]]:
        found = None
        if request.path.startswith(f"{PREFIX}/"):
            found = self._description.match(record.method, self._present_path(record.path))
        if found is None or found[0].id not in ROUTES:
            self.unexpected.append(f"{record.method} {request.path}")
            raise Refusal(404, "Not Found")
        return found

    def _present_path(self, path: str) -> str:
        """The path by name for `/repositories/{id}/…`, the target of GitHub's redirects."""
        parts = path.split("/")
        if parts[1] != "repositories" or len(parts) < 3 or not parts[2].isdecimal():
            return path
        repository = self._world.repositories.get(int(parts[2]))
        if repository is None or repository.deleted:
            raise Refusal(404, "Not Found")
        return "/".join(["", "repos", repository.full_name, *parts[3:]])

    def _check_headers(self, record: RecordedRequest, headers: dict[str, str]) -> None:
        """GitHub's docs: a request needs a User-Agent; an unknown version is refused."""
        if not record.user_agent:
            self._violation(record, "no User-Agent")
            raise Refusal(
                403,
                "Request forbidden by administrative rules. Please make sure it has a User-Agent header.",
            )
        if record.version is None:
            self._violation(record, "no X-GitHub-Api-Version")
        elif record.version not in routes_public.KNOWN_VERSIONS:
            self._violation(record, "unknown X-GitHub-Api-Version")
            raise Refusal(400, "The version in X-GitHub-Api-Version is not supported")
        headers["X-GitHub-Api-Version-Selected"] = record.version or routes_public.KNOWN_VERSIONS[0]

    def _identify(self, request: web.Request, record: RecordedRequest, route: Route) -> Principal:
        header = request.headers.get("Authorization")
        if route.access == "nobody" and header is not None:
            record.auth = "bad"
            self._violation(record, "an Authorization header where GitHub takes none")
            raise Refusal(403, "This endpoint must be called without authentication")
        if header is not None:
            self.limits.check_lockout()
        try:
            principal = self._authenticator.authenticate(header, record.user_agent)
        except Refusal as refusal:
            record.auth = "bad"
            if refusal.status == 401:
                self.limits.record_failed_login()
            raise
        record.auth = principal.kind
        record.user_id = principal.user.id if principal.user else None
        if principal.token is not None:
            record.installation_id = principal.token.installation.id
            record.repository_ids = principal.token.repository_ids
            record.permissions = principal.token.permissions
        if principal.kind == "app" and route.access != "app":
            self._violation(record, "the App's JWT where GitHub takes none")
        return principal

    def _identify_for_graphql(
        self, request: web.Request, record: RecordedRequest, headers: dict[str, str]
    ) -> Principal:
        self._check_headers(record, headers)
        principal = self._identify(request, record, GRAPHQL)
        if principal.kind not in ("installation", "user"):
            raise Refusal(401, "This endpoint requires you to be authenticated.")
        return principal

    def _read_input(self, call: Call, operation: Operation, record: RecordedRequest) -> None:
        """Read the typed query and body. All violations are recorded; what GitHub refuses is refused."""
        call.query, problems = operation.read_query(record.query)
        for problem in problems:
            self._violation(record, problem)
        if any(problem.startswith("bad value") for problem in problems):
            raise Refusal(422, f"Invalid request.\n\n{'; '.join(problems)}")
        if record.query.get("per_page", "").isdecimal():
            # GitHub silently limits the page size to 100.
            call.query["per_page"] = min(100, max(1, int(record.query["per_page"])))
        body = record.body
        if isinstance(body, bytes):
            self._violation(record, "a body that is not JSON")
            raise Refusal(400, "Problems parsing JSON")
        if not operation.takes_body:
            if body is not None:
                self._violation(record, "a body where GitHub describes none")
            return
        if body is None and not operation.needs_body:
            return
        fault = operation.body_problem(body if body is not None else {})
        if fault is not None:
            self._violation(record, fault.replace("\n", " "))
            raise Refusal(422, fault)
        call.body = cast("JsonObject", body)
        for name in sorted(call.body.keys() - operation.body_fields):
            self._violation(record, f"unknown field {name}")

    def _violation(self, record: RecordedRequest, text: str) -> None:
        self.violations.append(f"{record.method} {record.path}: {text}")


def _token_headers(principal: Principal) -> dict[str, str]:
    """The headers about a person's token: its scopes, and its expiry if it has one."""
    live = principal.live_token
    if live is None:
        return {}
    headers = {}
    if live.kind in ("classic", "oauth", "app_user"):
        headers["X-OAuth-Scopes"] = ", ".join(live.scopes)
    if live.expires_at is not None and live.kind in ("classic", "fine_grained"):
        expiry = timestamp(live.expires_at).replace("T", " ").replace("Z", " UTC")
        headers["GitHub-Authentication-Token-Expiration"] = expiry
    return headers


def _http_response(request: web.Request, answer: RouteResponse, headers: Mapping[str, str]) -> web.Response:
    """JSON with GitHub's headers; 304 if the caller has this answer already."""
    merged = {"X-GitHub-Media-Type": "github.v3; format=json", **headers, **answer.headers}
    if answer.status == 204:
        return web.Response(status=204, headers=merged)
    body = json.dumps(answer.body, separators=(",", ":")).encode()
    if request.method == "GET" and answer.status == 200:
        merged["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.headers.get("If-None-Match") == merged["ETag"]:
            return web.Response(status=304, headers=merged)
    return web.Response(
        status=answer.status, headers=merged, body=body, content_type="application/json", charset="utf-8"
    )
