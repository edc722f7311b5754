"""Answers the Web API, response URLs and Socket Mode connections over HTTP, through the faults."""

import json

from aiohttp import web

from integrations.sandbox.faults import Effect, FaultPlan, is_dropped
from integrations.sandbox.slack.app_pages import AppPages
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import JSON_TYPE, ApiError, Arguments, RecordedCall, read_call
from integrations.sandbox.slack.limits import RateLimits
from integrations.sandbox.slack.methods import METHODS, Method
from integrations.sandbox.slack.response_urls import ResponseUrls, json_object
from integrations.sandbox.slack.socket_mode import SocketTransport
from integrations.sandbox.slack.world import SlackWorld

MAX_BODY_BYTES = 2 * 1024 * 1024


class SlackServer:
    """Records every call and answers it. `unexpected` lists unknown methods and paths."""

    def __init__(
        self, world: SlackWorld, response_urls: ResponseUrls, socket: SocketTransport, pages: AppPages
    ) -> None:
        self.faults = FaultPlan()
        self.requests: list[RecordedCall] = []
        self.unexpected: list[str] = []
        self._world = world
        self._response_urls = response_urls
        self._socket = socket
        self._pages = pages
        self._limits = RateLimits(world.now)

    def application(self) -> web.Application:
        """The aiohttp application with all routes."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_get("/link/", self._link)
        self._pages.add_routes(application.router)
        for kind in ("actions", "commands"):
            application.router.add_post(f"/{kind}/{{rest:.+}}", self._response_url)
        application.router.add_route("*", "/{rest:.*}", self._unknown_path)
        return application

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        method = METHODS.get(name)
        token, arguments, problem = None, Arguments({}), None
        try:
            token, arguments = await read_call(request, json_accepted=method is None or method.json)
        except ApiError as error:
            problem = error
        call = RecordedCall(name, arguments.values, self._world.now())
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
        world = self._world
        try:
            if problem is not None:
                raise problem
            elsewhere = world.app_elsewhere(token)
            if elsewhere is not None:
                return _answer(
                    call, 200, {"ok": True, **world.answer_elsewhere(elsewhere, method.name, token)}
                )
            world.need_token(token, app_level=method.app_level)
            if method.scope is not None:
                world.need_scope(method.scope)
            wait = (
                self._limits.wait(method, arguments.text("channel")) if self._world.enforce_rate_limits else 0
            )
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
        call = RecordedCall("response_url", {}, self._world.now())
        self.requests.append(call)

        async def effect() -> web.Response:
            try:
                call.arguments = json_object(body)
                self._response_urls.receive(request.path, body)
            except ApiError as error:
                self._world.note("response_url", error)
                call.status = 404 if error.error in ("expired_url", "used_url") else 400
                call.error = error.error
                return web.Response(status=call.status, text=error.error)
            call.carried_out, call.status = True, 200
            return web.Response(text="ok")

        return await self._guarded(request, call, effect)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        async def effect() -> web.StreamResponse:
            return await self._socket.serve(request)

        return await self.faults.guard(request, "link", effect)

    async def _guarded(self, request: web.Request, call: RecordedCall, effect: Effect) -> web.StreamResponse:
        response = await self.faults.guard(request, call.method, effect)
        call.status = None if is_dropped(request) else response.status
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
