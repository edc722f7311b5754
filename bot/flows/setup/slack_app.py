"""The step that creates the Slack app from our manifest and takes its bot token."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import bot
from bot.flows.setup.slack_calls import asking_slack, slack_of
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused
from bot.rules.slack_addresses import new_app_address
from bot.rules.slack_app_manifest import SlackAppManifest, slack_app_manifest
from bot.rules.slack_tokens import SlackSecret, kind_of
from bot.settings import environment
from bot.views import setup_slack as words
from bot.views import setup_slack_refusals as refusals
from bot.views.setup_github_refusals import in_environment
from bot.views.setup_panel import Panel
from integrations.slack.facts import BotFacts
from integrations.slack.installation import SlackInstallation

HTTP, SOCKET = "http", "socket"


def manifest_text() -> str:
    """The text of `manifest.yml`: in the installed package, or at the root of the checkout."""
    package = Path(bot.__file__).parent
    installed = package / "manifest.yml"
    return (installed if installed.exists() else package.parent / "manifest.yml").read_text(encoding="utf-8")


def transport_of(known: Known) -> str:
    """How Slack reaches Stanch: `socket`, unless HTTP was chosen, now or by the settings."""
    chosen = known.fact("slack_transport")
    by_settings = known.get("SLACK_SIGNING_SECRET") and not known.get("SLACK_APP_TOKEN")
    return chosen or (HTTP if by_settings else SOCKET)


def manifest_of(known: Known) -> SlackAppManifest:
    """The manifest for what was chosen."""
    return slack_app_manifest(manifest_text(), _https_address(known) if transport_of(known) == HTTP else None)


def _https_address(known: Known) -> str | None:
    """Where Slack could send its requests: it takes HTTPS alone."""
    public_url = known.get("STANCH_PUBLIC_URL")
    return public_url.rstrip("/") if public_url and public_url.startswith("https://") else None


def _done(known: Known) -> bool:
    return known.get("SLACK_BOT_TOKEN") is not None and known.fact("slack_team") is not None


async def _look(context: SetupContext, known: Known) -> Known:
    """The token in `.env` is taken if Slack still accepts it; the panel says why not."""
    token = known.get("SLACK_BOT_TOKEN")
    if token is None:
        return known
    try:
        return await _checked(context, known, token)
    except StepRefused as refused:
        if refused.field is None:
            raise
        return known.without("SLACK_BOT_TOKEN").finding(slack_problem=str(refused))


async def _view(_: SetupContext, known: Known) -> Panel:
    manifest = manifest_of(known).json
    return words.app_panel(
        address=new_app_address(known.slack_api_url, manifest),
        manifest=manifest,
        over_http=transport_of(known) == HTTP,
        public_url=_https_address(known),
        problem=known.fact("slack_problem"),
        workspace=known.fact("first_workspace"),
    )


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    chosen = form.get("transport")
    if chosen == SOCKET or (chosen == HTTP and _https_address(known) is not None):
        if chosen == HTTP and "SLACK_APP_TOKEN" in environment():
            raise StepRefused(in_environment("SLACK_APP_TOKEN"))
        return known.finding(slack_transport=chosen)
    token = form.get("bot_token", "")
    kind = kind_of(token)
    if kind is not SlackSecret.BOT:
        raise StepRefused(refusals.not_a_bot_token(kind, known.slack_api_url), "bot_token")
    return await _checked(context, known, token, other_workspace=form.get("other_workspace") == "yes")


async def _checked(
    context: SetupContext, known: Known, token: str, *, other_workspace: bool = False
) -> Known:
    """The token is a bot's, has the scopes that Stanch needs, and belongs to the workspace used so far."""
    slack = slack_of(context, known, token)
    with asking_slack(known, field="bot_token"):
        facts = await slack.whoami()
    first = known.fact("first_team")
    if first is not None and first != facts.team_id and not other_workspace:
        sentence = refusals.other_workspace(facts.url, known.facts["first_workspace"])
        raise StepRefused(sentence, "bot_token")
    missing = manifest_of(known).scopes - slack.scopes if slack.scopes is not None else frozenset()
    app_id = None
    if "users:read" not in missing:
        with asking_slack(known, field="bot_token"):
            app_id = await SlackInstallation(slack).app_id(facts.bot_id)
    if missing:
        raise StepRefused(refusals.scopes_missing(missing, known.slack_api_url, app_id), "bot_token")
    return _keep(known, token, facts, app_id)


def _keep(known: Known, token: str, facts: BotFacts, app_id: str | None) -> Known:
    if known.fact("first_team") not in (None, facts.team_id):
        # Who was linked in the former workspace is nobody in this one, and its card is not here.
        known = known.without("person", "operators_looked_up", "test_card")
    return (
        known.without("slack_problem")
        .setting(SLACK_BOT_TOKEN=token)
        .finding(
            slack_team=facts.team_id,
            slack_enterprise=facts.enterprise_id or "",
            slack_workspace=facts.url,
            slack_app=app_id or "",
            first_team=facts.team_id,
            first_workspace=facts.url,
        )
    )


SLACK_APP = SetupStep(
    name="slack_app",
    title="Slack app",
    done=_done,
    view=_view,
    submit=_submit,
    look=_look,
    # Another app may be in no channel, and its app-level token is another one.
    owns=("SLACK_BOT_TOKEN", "slack_team", "slack_connection", "slack_channel"),
    summary=lambda known: urlsplit(known.facts["slack_workspace"]).netloc.partition(".")[0],
)
