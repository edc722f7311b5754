"""Slack's pages for creating an app from a manifest, installing it, taking its tokens and inviting its bot."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from aiohttp import web

from integrations.sandbox.slack.manifests import AppManifest, InvalidSlackManifest, read_manifest
from integrations.sandbox.slack.records import App
from integrations.sandbox.slack.sender import Sender
from integrations.sandbox.slack.transport import Transport
from integrations.sandbox.slack.world import SlackWorld

LONGEST_ADDRESS = 8000
"""Bytes of an address that servers commonly take; Slack doesn't document its limit."""
STYLE = """
:root { color-scheme: light dark }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem }
form, section { border: 1px solid #8886; border-radius: 8px; padding: 1rem; margin: 1rem 0 }
button { min-height: 44px; padding: .5rem 1rem; font: inherit; font-weight: 600 }
label { display: block; margin: .5rem 0 }
textarea, input:not([type=checkbox]) { box-sizing: border-box; width: 100%; min-height: 44px; font: inherit }
code { overflow-wrap: anywhere }
.error { color: #b3261e }
"""


@dataclass(slots=True)
class AppPages:
    """The pages below `/apps` and the composer of a channel. Only the app that was created last is there."""

    world: SlackWorld
    sender: Sender
    socket: Transport
    use_url: Callable[[str], None]
    """Takes the request URL of a new app."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve the pages."""
        router.add_get("/apps", self._choose_workspace)
        router.add_post("/apps/review", self._review)
        router.add_post("/apps/create", self._create)
        router.add_get("/apps/{app}/general", self._general)
        router.add_post("/apps/{app}/app-level-tokens", self._make_app_token)
        router.add_get("/apps/{app}/install-on-team", self._ask_to_install)
        router.add_post("/apps/{app}/install-on-team", self._install)
        router.add_get("/apps/{app}/oauth", self._oauth)
        router.add_get("/archives/{channel}", self._composer)
        router.add_post("/archives/{channel}", self._type)

    # Creating

    async def _choose_workspace(self, request: web.Request) -> web.Response:
        if len(request.path_qs.encode()) > LONGEST_ADDRESS:
            return page("Bad Request", "<p>The address is too long.</p>", 414)
        manifest = request.query.get("manifest_json", "")
        team = self.world.workspace.teams[self.world.app.team_id]
        return page(
            "Create app from manifest",
            '<form method="post" action="/apps/review">'
            f'<label>Pick a workspace to develop your app <select name="team"><option value="{team.id}">'
            f"{escape(team.name)}</option></select></label>"
            f'<label>App manifest (JSON) <textarea name="manifest" rows="8">\n{escape(manifest)}</textarea></label>'
            "<button>Next</button></form>",
        )

    async def _review(self, request: web.Request) -> web.Response:
        text = str((await request.post()).get("manifest", ""))
        manifest = _read(text)
        if isinstance(manifest, web.Response):
            return manifest
        scopes = "".join(f"<li><code>{name}</code></li>" for name in manifest.required_scopes)
        optional = "".join(f"<li><code>{name}</code> (optional)</li>" for name in manifest.optional_scopes)
        return page(
            "Review summary & create your app",
            f"<section><p><strong>{escape(manifest.name)}</strong></p><ul>{scopes}{optional}</ul></section>"
            f'<form method="post" action="/apps/create">{_hidden("manifest", text)}<button>Create</button></form>',
        )

    async def _create(self, request: web.Request) -> web.Response:
        manifest = _read(str((await request.post()).get("manifest", "")))
        if isinstance(manifest, web.Response):
            return manifest
        self.create(manifest)
        return redirect(f"/apps/{self.world.app.app_id}/general")

    def create(self, manifest: AppManifest) -> None:
        """Another app takes the place of the former: not installed, its bot in no channel, without an app token."""
        world, app = self.world, self.world.app
        app.name = manifest.name
        app.app_id = world.workspace.new_id("A")
        app.bot_id = world.workspace.new_id("B")
        app.bot_user_id = world.workspace.new_id("U")
        app.signing_secret = secrets.token_hex(16)
        app.bot_token = app.app_token = ""
        app.app_token_scopes = set()
        app.installed = False
        app.required_scopes, app.optional_scopes = manifest.required_scopes, manifest.optional_scopes
        world.scopes.clear()
        world.tickets.on = manifest.socket_mode
        self.sender.transport = self.socket if manifest.socket_mode else self.sender.http
        self.use_url(manifest.request_url)
        world.workspace.add_user(app.bot_user_id, name=manifest.name.lower(), is_bot=True)

    # The app's settings

    async def _general(self, request: web.Request) -> web.Response:
        app = self._app(request)
        if app is None:
            return not_found()
        return page(
            "Basic Information",
            f"<section><p>App ID: <code>{app.app_id}</code></p>"
            f'<p>Signing Secret: <code id="signing_secret">{app.signing_secret}</code></p></section>'
            f'<form method="post" action="/apps/{app.app_id}/app-level-tokens"><p>App-Level Tokens</p>'
            '<label>Token Name <input name="name"></label>'
            '<label>Scope <input name="scope" value="" placeholder="connections:write"></label>'
            "<button>Generate</button></form>"
            f'<p><a href="/apps/{app.app_id}/install-on-team">Install App</a></p>',
        )

    async def _make_app_token(self, request: web.Request) -> web.Response:
        app, form = self._app(request), await request.post()
        if app is None:
            return not_found()
        scopes = str(form.get("scope", "")).split()
        if not form.get("name") or not scopes:
            return page("App-Level Tokens", '<p class="error">Enter a name and add a scope.</p>', 422)
        app.app_token = f"xapp-1-{app.app_id}-{secrets.token_hex(16)}"
        app.app_token_scopes = set(scopes)
        return page("App-Level Tokens", f'<section><code id="app_token">{app.app_token}</code></section>')

    async def _ask_to_install(self, request: web.Request) -> web.Response:
        app = self._app(request)
        if app is None:
            return not_found()
        team = self.world.workspace.teams[app.team_id]
        required = "".join(f"<li><code>{name}</code></li>" for name in app.required_scopes)
        boxes = "".join(
            f'<label><input type="checkbox" name="optional" value="{name}" checked> <code>{name}</code></label>'
            for name in app.optional_scopes
        )
        return page(
            f"{app.name} is requesting permission to access {team.name}",
            f'<form method="post" action="/apps/{app.app_id}/install-on-team"><ul>{required}</ul>{boxes}'
            "<button>Allow</button></form>",
        )

    async def _install(self, request: web.Request) -> web.Response:
        app, form = self._app(request), await request.post()
        if app is None:
            return not_found()
        app.installed = True
        app.bot_token = app.bot_token or "xoxb-" + secrets.token_hex(16)
        chosen = {str(each) for each in form.getall("optional", [])} & set(app.optional_scopes)
        self.world.scopes.clear()
        self.world.scopes.update(app.required_scopes, chosen)
        return redirect(f"/apps/{app.app_id}/oauth")

    async def _oauth(self, request: web.Request) -> web.Response:
        app = self._app(request)
        if app is None:
            return not_found()
        token = f'<code id="bot_token">{app.bot_token}</code>' if app.installed else "Install the app first."
        return page("OAuth & Permissions", f"<section><p>Bot User OAuth Token: {token}</p></section>")

    def _app(self, request: web.Request) -> App | None:
        app = self.world.app
        return app if request.match_info["app"] == app.app_id else None

    # A channel

    async def _composer(self, request: web.Request) -> web.Response:
        channel = self.world.workspace.channels.get(request.match_info["channel"])
        if channel is None:
            return not_found()
        return page(
            f"#{channel.name}",
            f'<form method="post" action="/archives/{channel.id}"><label>Message <input name="text"></label>'
            "<button>Send</button></form>",
        )

    async def _type(self, request: web.Request) -> web.Response:
        channel, text = request.match_info["channel"], str((await request.post()).get("text", ""))
        if channel not in self.world.workspace.channels:
            return not_found()
        if text.strip().lower() != f"/invite @{self.world.app.name.lower()}":
            return page("Slackbot", '<p class="error">The stand-in knows /invite alone here.</p>', 422)
        if not self.world.app.installed:
            return page("Slackbot", '<p class="error">There is no such app in this workspace.</p>', 422)
        self.invite(channel)
        return redirect(f"/archives/{channel}")

    def invite(self, channel_id: str) -> None:
        """Somebody types `/invite @Stanch` in the channel."""
        workspace = self.world.workspace
        members = workspace.channels[channel_id].members
        workspace.change_channel(channel_id, members=members | {self.world.app.bot_user_id})


def page(title: str, content: str, status: int = 200) -> web.Response:
    """An HTML page; `content` is HTML."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}"
        "<p>This is the stand-in for Slack.</p></main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def not_found() -> web.Response:
    return page("Not found", "<p>There is no such page.</p>", 404)


def redirect(target: str) -> web.Response:
    headers: Mapping[str, str] = {"Location": target, "Cache-Control": "no-store"}
    return web.Response(status=302, headers=headers)


def _read(text: str) -> AppManifest | web.Response:
    try:
        return read_manifest(text)
    except InvalidSlackManifest as invalid:
        errors = "".join(f'<p class="error">{escape(error)}</p>' for error in invalid.errors)
        return page("We can't translate a manifest with errors", errors, 422)


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
