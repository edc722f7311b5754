"""The HTTP routes of a process."""

from aiohttp import web

from bot.context import Context
from bot.inbound import health
from bot.inbound.github_webhooks import GitHubWebhooks
from bot.inbound.sign_in_routes import SignInRoutes
from bot.inbound.signing_secrets import SigningSecrets
from bot.inbound.slack_app import SlackApp
from bot.inbound.slack_requests import SlackRequests
from bot.settings import Settings


def status_routes(context: Context) -> list[web.RouteDef]:
    """The routes of every process."""

    async def readyz(_: web.Request) -> web.Response:
        return await health.readyz(context)

    async def metrics(_: web.Request) -> web.Response:
        return await health.metrics(context)

    return [web.get("/healthz", health.healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


def request_routes(settings: Settings, context: Context, slack_app: SlackApp) -> list[web.RouteDef]:
    """Those of a process that takes requests: without Slack's in Socket Mode, with GitHub's sign-in if set."""
    secret, old = settings.github_webhook_secret, settings.github_webhook_secret_old
    secrets = SigningSecrets(context, "GITHUB_WEBHOOK_SECRET", secret, old) if secret else None
    routes = [web.post("/github/webhooks", GitHubWebhooks(context, secrets).receive)]
    if settings.slack_app_token is None:
        secret, old = settings.slack_signing_secret, settings.slack_signing_secret_old
        secrets = SigningSecrets(context, "SLACK_SIGNING_SECRET", secret, old) if secret else None
        routes.append(web.post("/slack/events", SlackRequests(context, slack_app, secrets).receive))
    pages: list[web.RouteDef] = []
    if context.sign_in is not None:
        sign_in = SignInRoutes(context)
        pages.append(web.get("/github/link", sign_in.link, allow_head=False))
        pages.append(web.get("/github/callback", sign_in.callback, allow_head=False))
    # Also with a slash at the end: people enter that in GitHub's and Slack's settings and would not see the 404.
    slashed = [web.RouteDef("POST", f"{route.path}/", route.handler, {}) for route in routes]
    return [*routes, *slashed, *pages]
