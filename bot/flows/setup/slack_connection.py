"""The step for how Slack's requests arrive: an app-level token for Socket Mode, or the signing secret for HTTP."""

from collections.abc import Mapping

from bot.flows.setup.slack_app import HTTP, SOCKET, transport_of
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused
from bot.rules.slack_addresses import app_address
from bot.rules.slack_tokens import SlackSecret, kind_of
from bot.views import setup_slack as words
from bot.views import setup_slack_refusals as refusals
from bot.views.setup_panel import Panel
from integrations.slack.app_level_client import AppLevelClient
from integrations.slack.errors import SlackError, SlackUnauthorized
from integrations.slack.installation import app_of_token


def _done(known: Known) -> bool:
    needed = "SLACK_SIGNING_SECRET" if transport_of(known) == HTTP else "SLACK_APP_TOKEN"
    return known.get(needed) is not None and known.fact("slack_connection") is not None


async def _look(context: SetupContext, known: Known) -> Known:
    """The secret in `.env` is taken if Slack still accepts it, or if nobody can ask."""
    # From here on the secrets that are set no longer decide it: one of them may be dropped.
    known = known.finding(slack_transport=transport_of(known))
    if transport_of(known) == HTTP:
        return _over_http(known) if known.get("SLACK_SIGNING_SECRET") else known
    token = known.get("SLACK_APP_TOKEN")
    if token is None:
        return known
    try:
        return await _checked(context, known, token)
    except StepRefused as refused:
        if refused.field is None:
            raise
        return known.without("SLACK_APP_TOKEN").finding(connection_problem=str(refused))


async def _view(_: SetupContext, known: Known) -> Panel:
    return words.connection_panel(
        page=app_address(known.slack_api_url, known.fact("slack_app"), "general"),
        over_http=transport_of(known) == HTTP,
        problem=known.fact("connection_problem"),
    )


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    if transport_of(known) == HTTP:
        secret = form.get("signing_secret", "")
        if kind_of(secret) is not SlackSecret.SIGNING:
            raise StepRefused(refusals.not_a_signing_secret(kind_of(secret)), "signing_secret")
        # Repeating the step has hidden the app-level token, which may still be in `.env`.
        return _over_http(known.setting(SLACK_SIGNING_SECRET=secret, SLACK_APP_TOKEN=""))
    token = form.get("app_token", "")
    if kind_of(token) is not SlackSecret.APP_LEVEL:
        raise StepRefused(refusals.not_an_app_token(kind_of(token)), "app_token")
    return await _checked(context, known, token)


def _over_http(known: Known) -> Known:
    """An app-level token would mean Socket Mode, so it is cleared."""
    known = known.setting(SLACK_APP_TOKEN="") if known.get("SLACK_APP_TOKEN") else known
    return known.finding(slack_connection=HTTP)


async def _checked(context: SetupContext, known: Known, token: str) -> Known:
    """The token belongs to the same app as the bot token, and Slack opens a connection for it."""
    ours, its = known.fact("slack_app"), app_of_token(token)
    page = app_address(known.slack_api_url, ours, "general")
    if ours and its and its != ours:
        raise StepRefused(refusals.app_token_of_another_app(its, page), "app_token")
    try:
        # Slack closes an address that nobody connects to by itself.
        await AppLevelClient(token, known.slack_api_url, context.session).open_connection()
    except SlackUnauthorized as error:
        raise StepRefused(refusals.app_token_refused(error.code, page), "app_token") from None
    except SlackError as error:
        if error.code == "forbidden_team":
            socket_page = app_address(known.slack_api_url, ours, "socket-mode")
            raise StepRefused(refusals.socket_mode_off(socket_page), "app_token") from None
        raise StepRefused(refusals.not_asked(str(error))) from None
    return known.without("connection_problem").setting(SLACK_APP_TOKEN=token).finding(slack_connection=SOCKET)


SLACK_CONNECTION = SetupStep(
    name="slack_connection",
    title="Slack's requests",
    done=_done,
    view=_view,
    submit=_submit,
    look=_look,
    owns=("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "slack_connection"),
    summary=lambda known: words.CONNECTIONS[known.fact("slack_connection") or SOCKET],
)
