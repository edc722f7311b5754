"""The step that has the App installed on the accounts that Stanch is to serve."""

from collections.abc import Mapping

from bot.flows.setup.github_app import ask_app, github_of, key_of
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused
from bot.setting_values import read_accounts
from bot.views import setup_github as words
from bot.views import setup_github_refusals as refusals
from bot.views.setup_panel import Panel
from integrations.github.app_facts import ENTERPRISE, AppFacts
from integrations.github.errors import GitHubError


def _done(known: Known) -> bool:
    return known.fact("installed_on") is not None


async def _look(context: SetupContext, known: Known) -> Known:
    """Ask GitHub where the App is installed, and with which App it is that the key signs."""
    app_id = known.values["GITHUB_APP_ID"]
    try:
        key = key_of(context, known.values["GITHUB_APP_PRIVATE_KEY"])
    except ValueError as fault:
        raise StepRefused(refusals.bad_setting("GITHUB_APP_PRIVATE_KEY", str(fault))) from None
    app = await ask_app(context, known, app_id, key)
    page = app.html_url if app.html_url.startswith(f"{known.github_url}/") else ""
    known = known.finding(app_slug=app.slug, app_page=page, app_owner=app.owner.login)
    try:
        found = [one async for one in github_of(context, known, app_id, key).installations()]
    except GitHubError as error:
        raise StepRefused(refusals.not_asked(str(error))) from None
    wanted = _wanted(known, app) or {one.account.login.lower() for one in found}
    ours = [one for one in found if {one.account.login.lower(), str(one.account.id)} & wanted]
    for one in ours:
        if one.suspended:
            raise StepRefused(refusals.suspended(one.account.login, app.slug))
    installed = {name for one in ours for name in (one.account.login.lower(), str(one.account.id))}
    missing = sorted(wanted - installed)
    if missing or not ours:
        return known.finding(not_installed=", ".join(missing) or f"an organization of {app.owner.login}")
    return known.finding(installed_on=", ".join(sorted(wanted)))


def _wanted(known: Known, app: AppFacts) -> set[str]:
    """The logins and ids of the accounts that Stanch is to serve: by default the App's owner.

    Empty for any organization of the enterprise that owns the App, as `serve` takes it.
    """
    accounts = known.get("GITHUB_ACCOUNTS")
    if not accounts:
        return set() if app.owner_type == ENTERPRISE else {app.owner.login.lower()}
    try:
        return set(read_accounts(accounts))
    except ValueError as fault:
        raise StepRefused(refusals.bad_setting("GITHUB_ACCOUNTS", str(fault))) from None


async def _view(_: SetupContext, known: Known) -> Panel:
    facts = known.facts
    return words.installation_panel(
        facts["app_slug"], facts["app_owner"], facts["app_page"], facts["not_installed"]
    )


async def _submit(context: SetupContext, known: Known, _: Mapping[str, str]) -> Known:
    known = await _look(context, known)
    if not _done(known):
        raise StepRefused(refusals.not_installed(known.facts["not_installed"], known.facts["app_slug"]))
    return known


INSTALLATION = SetupStep(
    name="installation",
    title="Installation",
    done=_done,
    view=_view,
    submit=_submit,
    look=_look,
    owns=("installed_on",),
    summary=lambda known: f"on {known.facts['installed_on']}",
)
