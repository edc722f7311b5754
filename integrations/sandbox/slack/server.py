"""The stand-in Slack as a server: Web API, response URLs and Socket Mode, with faults on request."""

import json
import re
import secrets
import time
from collections.abc import Callable, Collection
from typing import Self

from aiohttp import web

from integrations.sandbox.faults import Effect, FaultPlan, PlannedFault
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import JSON_TYPE, ApiError, Arguments, RecordedCall, read_call
from integrations.sandbox.slack.checks import Checker
from integrations.sandbox.slack.events import Events
from integrations.sandbox.slack.feed import Feed
from integrations.sandbox.slack.limits import RateLimits
from integrations.sandbox.slack.methods import DEFAULT_SCOPES, METHODS, Method
from integrations.sandbox.slack.modals import Modals
from integrations.sandbox.slack.records import App
from integrations.sandbox.slack.response_urls import ResponseUrls, json_object
from integrations.sandbox.slack.sight import ViewerSight
from integrations.sandbox.slack.socket_mode import SocketTransport
from integrations.sandbox.slack.tickets import Tickets
from integrations.sandbox.slack.transport import DeliveryResult, HttpTransport, Transport
from integrations.sandbox.slack.triggers import Triggers
from integrations.sandbox.slack.workspace import SlackWorkspace
from integrations.sandbox.slack.world import SlackWorld


class SlackSandbox(Events, ViewerSight):
    """Slack in miniature; the package's docstring shows how to use it.

    `now` is the time in seconds since the epoch, by which triggers, response URLs and signatures live;
    `answer_timeout` is in real seconds. `check_blocks=False` lets every message through: for benchmarks only.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        events_url: str = "",
        scopes: Collection[str] = DEFAULT_SCOPES,
        check_blocks: bool = True,
        answer_timeout: float = 3.0,
    ) -> None:
        app = App(
            team_id="T0STANCH",
            team_domain="stanch-sandbox",
            app_id="A0STANCH",
            bot_id="B0STANCH",
            bot_user_id="U0STANCH",
            bot_token="xoxb-" + secrets.token_hex(16),
            app_token="xapp-1-A0STANCH-" + secrets.token_hex(16),
            signing_secret=secrets.token_hex(16),
        )
        workspace = SlackWorkspace(app, now, Feed())
        tickets = Tickets(app.app_id, lambda: self.origin)
        checker = Checker(on=check_blocks)
        self.world = SlackWorld(
            app, now, set(scopes), workspace, Modals(workspace), Triggers(now), tickets, checker
        )
        self.workspace = workspace
        self.events_url = events_url
        self.faults = FaultPlan()
        self.enforce_rate_limits = False
        self.requests: list[RecordedCall] = []
        self.unexpected: list[str] = []
        self.deliveries: list[DeliveryResult] = []
        self.origin = ""
        self.response_urls = ResponseUrls(self.world, lambda: self.origin)
        self.http = HttpTransport(
            signing_secret=app.signing_secret, url=lambda: self.events_url, now=now, timeout=answer_timeout
        )
        self.socket = SocketTransport(
            tickets, self.world.violations, app_id=app.app_id, timeout=answer_timeout
        )
        # What people do goes out this way, and no other: HTTP and Socket Mode exclude each other.
        self.transport: Transport = self.http
        self._limits = RateLimits(now)
        self._runner: web.AppRunner | None = None

    # What the app under test is told, and what the stand-in has to say about it

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def bot_token(self) -> str:
        return self.world.app.bot_token

    @property
    def app_token(self) -> str:
        return self.world.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.world.app.signing_secret

    @property
    def team_id(self) -> str:
        return self.world.app.team_id

    @property
    def app_id(self) -> str:
        return self.world.app.app_id

    @property
    def bot_id(self) -> str:
        return self.world.app.bot_id

    @property
    def bot_user_id(self) -> str:
        return self.world.app.bot_user_id

    @property
    def scopes(self) -> set[str]:
        return self.world.scopes

    @property
    def violations(self) -> list[str]:
        """What Slack refuses: each such call or answer, with its details."""
        return self.world.violations

    @property
    def hygiene(self) -> list[str]:
        """What Slack takes and this product promises not to send."""
        return self.world.hygiene

    def use_socket_mode(self) -> None:
        """Turn Socket Mode on: whatever people do from now on goes over the app's connections."""
        self.world.tickets.on = True
        self.transport = self.socket

    async def use_http(self) -> None:
        """Turn it off again: connections end, and signed requests go to `events_url`."""
        self.transport = self.http
        await self.socket.disconnect("link_disabled")

    def calls(self, method: str) -> list[RecordedCall]:
        """The calls of one method (`response_url` for those), in order."""
        return [call for call in self.requests if call.method == method]

    def rate_limit(self, method: str, *, retry_after: int = 1, times: int | None = 1) -> PlannedFault:
        """Answer the next calls of a method with 429 and `Retry-After` (seconds); `faults.remove` ends it."""
        body = {"ok": False, "error": "ratelimited"}
        headers = {"Retry-After": str(retry_after)}
        return self.faults.add(re.escape(method), times=times, status=429, headers=headers, body=body)

    def fail(self, method: str, error: str, *, times: int | None = 1) -> PlannedFault:
        """Answer the next calls of a method with an error of Slack's, without effect."""
        return self.faults.add(re.escape(method), times=times, status=200, body={"ok": False, "error": error})

    # Serving

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes any free one."""
        app = web.Application(client_max_size=2 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link/", self._link)
        for kind in ("actions", "commands"):
            app.router.add_post(f"/{kind}/{{rest:.+}}", self._response_url)
        app.router.add_route("*", "/{rest:.*}", self._unknown_path)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, listening = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{listening}"
        await self.http.open()

    async def stop(self) -> None:
        """Drop what hangs, end the subscriptions, close everything."""
        self.faults.stop()
        self.workspace.feed.close()
        await self.socket.close()
        await self.http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        method = METHODS.get(name)
        token, arguments, problem = None, Arguments({}), None
        try:
            token, arguments = await read_call(request, json_accepted=method is None or method.json)
        except ApiError as error:
            problem = error
        call = RecordedCall(name, arguments.values, self.world.now())
        self.requests.append(call)
        if method is None:
            self.unexpected.append(name)
            return _answer(call, 200, {"ok": False, "error": "unknown_method", "req_method": name})

        async def effect() -> web.Response:
            return self._run(call, method, token, arguments, problem)

        return await self._guarded(request, call, effect)

    def _run(
        self,
        call: RecordedCall,
        method: Method,
        token: str | None,
        arguments: Arguments,
        problem: ApiError | None,
    ) -> web.Response:
        world = self.world
        try:
            if problem is not None:
                raise problem
            world.need_token(token, app_level=method.app_level)
            if method.scope is not None:
                world.need_scope(method.scope)
            wait = self._limits.wait(method, arguments.text("channel")) if self.enforce_rate_limits else 0
            if wait:
                body = {"ok": False, "error": "ratelimited"}
                return _answer(call, 429, body, {"Retry-After": str(wait)})
            body = {"ok": True, **method.run(world, arguments)}
        except ApiError as error:
            world.note(method.name, error)
            return _answer(call, 200, error.body())
        call.carried_out = True
        return _answer(call, 200, body, {"X-OAuth-Scopes": ",".join(sorted(world.scopes))})

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = RecordedCall("response_url", {}, self.world.now())
        self.requests.append(call)

        async def effect() -> web.Response:
            try:
                call.arguments = json_object(body)
                self.response_urls.receive(request.path, body)
            except ApiError as error:
                self.world.note("response_url", error)
                call.status = 404 if error.error in ("expired_url", "used_url") else 400
                call.error = error.error
                return web.Response(status=call.status, text=error.error)
            call.carried_out, call.status = True, 200
            return web.Response(text="ok")

        return await self._guarded(request, call, effect)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        async def effect() -> web.StreamResponse:
            return await self.socket.serve(request)

        return await self.faults.guard(request, "link", effect)

    async def _guarded(self, request: web.Request, call: RecordedCall, effect: Effect) -> web.StreamResponse:
        response = await self.faults.guard(request, call.method, effect)
        dropped = request.transport is None or request.transport.is_closing()
        call.status = None if dropped else response.status
        if call.error is None and isinstance(response, web.Response) and response.content_type == JSON_TYPE:
            call.error = json.loads(response.text or "{}").get("error")
        return response

    async def _unknown_path(self, request: web.Request) -> web.Response:
        self.unexpected.append(f"{request.method} {request.path}")
        return web.Response(status=404, text="not_found")


def _answer(
    call: RecordedCall, status: int, body: Json, headers: dict[str, str] | None = None
) -> web.Response:
    call.status, call.error = status, body.get("error")
    return web.json_response(body, status=status, headers=headers)
