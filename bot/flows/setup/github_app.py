"""The step that makes the GitHub App: by GitHub's manifest flow, or by hand, from its id and key file."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from bot.flows.setup.account import organization_of, plan_of
from bot.flows.setup.files import SetupFiles
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused
from bot.rules.github_addresses import app_page, new_app_page
from bot.rules.github_app_manifest import PERMISSIONS, AppPermission, manifest, registration_query
from bot.setting_values import read_key
from bot.settings import environment
from bot.version import VERSION
from bot.views import setup_github as words
from bot.views import setup_github_refusals as refusals
from bot.views.setup_panel import Panel
from integrations.github.api import GitHub
from integrations.github.app_facts import ENTERPRISE, AppFacts
from integrations.github.app_manifest import NewApp, convert_code
from integrations.github.errors import GitHubError, GitHubUnauthorized, NotFound

APP_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SETTINGS = (
    "GITHUB_APP_ID",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_APP_CLIENT_ID",
    "GITHUB_APP_CLIENT_SECRET",
    "GITHUB_WEBHOOK_SECRET",
)
"""What belongs to one App."""
CREATED = "/github/created"
"""The path of our page to which GitHub sends the browser after it has made the App."""


def _done(known: Known) -> bool:
    return known.get("GITHUB_APP_ID") is not None and known.get("GITHUB_APP_PRIVATE_KEY") is not None


async def _view(context: SetupContext, known: Known) -> Panel:
    fixed = sorted(environment().keys() & set(SETTINGS))
    if fixed:
        # Found out before anything is created at GitHub, whose secrets could not be kept then.
        raise StepRefused(refusals.in_environment(fixed[0]))
    plan, organization = plan_of(known), organization_of(known)
    page = new_app_page(known.github_url, organization)
    if context.page is None:
        return words.app_by_hand_panel(plan, known.facts["account"], f"{page}?{registration_query(plan)}")
    return words.app_panel(plan, known.facts["account"], page, manifest(plan, context.page + CREATED))


async def convert(context: SetupContext, known: Known, code: str) -> Known:
    """Take over the App that GitHub has made; the state of its answer was checked before.

    Raises StepRefused, also for an App of another owner, of which nothing is kept.
    """
    if _done(known) or known.fact("account") is None:
        raise StepRefused(refusals.APP_NOT_EXPECTED)
    try:
        app = await convert_code(
            context.session,
            known.github_api_url,
            code,
            user_agent=f"stanch/{VERSION}",
            now=context.clock.now,
        )
    except NotFound:
        raise StepRefused(refusals.CODE_UNKNOWN) from None
    except GitHubError as error:
        raise StepRefused(refusals.not_converted(str(error))) from None
    account = known.facts["account"]
    if app.owner.login.lower() != account.lower():
        raise StepRefused(refusals.other_owner(app.slug, app.owner.login, account))
    return _keep(context, known, app)


def _keep(context: SetupContext, known: Known, app: NewApp) -> Known:
    """Write the key at once: GitHub shows it only now."""
    page = app_page(known.github_url, organization_of(known), app.slug)
    try:
        path = SetupFiles(context.folder).write_key(app.private_key.reveal(), str(app.id))
    except StepRefused as refused:
        raise StepRefused(refusals.key_not_written(app.slug, str(refused), page)) from None
    signs_in = known.get("STANCH_PUBLIC_URL") is not None
    # What is empty here clears the secrets of a former App.
    settings = {
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_APP_PRIVATE_KEY": path,
        "GITHUB_APP_CLIENT_ID": app.client_id if signs_in else "",
        "GITHUB_APP_CLIENT_SECRET": app.client_secret.reveal() if signs_in else "",
        "GITHUB_WEBHOOK_SECRET": app.webhook_secret.reveal() if app.webhook_secret else "",
    }
    return known.setting(**settings).finding(app_slug=app.slug, app_owner=app.owner.login)


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    """An App that the person has made or had already: its id and the path of its key file."""
    app_id, path = form.get("app_id", ""), form.get("key_file", "")
    if not APP_ID.fullmatch(app_id):
        raise StepRefused(refusals.BAD_APP_ID, "app_id")
    if not path or "-----BEGIN" in path:
        raise StepRefused(refusals.NO_KEY_FILE, "key_file")
    try:
        key = key_of(context, path)
    except ValueError as fault:
        raise StepRefused(refusals.bad_key_file(str(fault)), "key_file") from None
    app = await ask_app(context, known, app_id, key)
    account = known.facts["account"]
    if app.owner_type != ENTERPRISE and app.owner.login.lower() != account.lower():
        raise StepRefused(refusals.other_app(app.owner.login, account), "app_id")
    lacking = [one for one in PERMISSIONS if one.required and not _has(app, one)]
    if lacking:
        raise StepRefused(refusals.lacks_permissions(app.slug, lacking), "app_id")
    # What is not entered is kept for the App that it belongs to, and cleared for another one.
    former = known.fact("former GITHUB_APP_ID")
    settings = dict.fromkeys(SETTINGS, "") if former not in (None, app_id) else {}
    settings |= {"GITHUB_APP_ID": app_id, "GITHUB_APP_PRIVATE_KEY": path}
    if app.owner_type == ENTERPRISE and known.get("GITHUB_ACCOUNTS") is None:
        settings["GITHUB_ACCOUNTS"] = (
            account.lower()
        )  # Else every organization of the enterprise would be served.
    if form.get("webhook_secret"):
        settings["GITHUB_WEBHOOK_SECRET"] = form["webhook_secret"]
    if form.get("client_secret"):
        settings["GITHUB_APP_CLIENT_SECRET"] = form["client_secret"]
        settings["GITHUB_APP_CLIENT_ID"] = app.client_id
    return known.setting(**settings).finding(app_owner=app.owner.login)


def _has(app: AppFacts, wanted: AppPermission) -> bool:
    return app.permissions.get(wanted.name) in (wanted.access, "write", "admin")


async def ask_app(context: SetupContext, known: Known, app_id: str, key: SecretStr) -> AppFacts:
    """The App that the key signs for. Raises StepRefused."""
    try:
        return await github_of(context, known, app_id, key).app()
    except GitHubUnauthorized as error:
        raise StepRefused(refusals.key_refused(error.detail, error.clock_ahead), "key_file") from None
    except NotFound as error:
        # GitHub's answer to an id that no App has.
        raise StepRefused(refusals.key_refused(error.detail, None), "app_id") from None
    except GitHubError as error:
        raise StepRefused(refusals.not_asked(str(error))) from None


def key_of(context: SetupContext, value: str) -> SecretStr:
    """The key of GITHUB_APP_PRIVATE_KEY: PEM text, or its path, below our folder. Raises ValueError."""
    if "-----BEGIN" in value:
        return read_key(SecretStr(value))
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise ValueError("names the home of a user that this machine does not have") from None
    return read_key(SecretStr(str(context.folder / path)))


def github_of(context: SetupContext, known: Known, app_id: str, key: SecretStr) -> GitHub:
    """GitHub for the App; makes no call yet."""
    return GitHub(
        context.session,
        api_url=known.github_api_url,
        url=known.github_url,
        app_id=app_id,
        private_key=key.get_secret_value(),
        version=VERSION,
        now=context.clock.now,
    )


GITHUB_APP = SetupStep(
    name="github_app",
    title="GitHub App",
    done=_done,
    view=_view,
    submit=_submit,
    owns=("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "installed_on"),
    summary=lambda known: known.fact("app_slug") or "",
)
