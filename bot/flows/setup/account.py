"""The step that asks which GitHub account Stanch is for, and where Stanch will be reached."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.flows.setup.keys import new_keys
from bot.flows.setup.step import GITHUB, Known, SetupContext, SetupStep, StepRefused, looks_secret
from bot.rules.github_addresses import api_address
from bot.rules.github_app_manifest import PERMISSIONS, AppPlan, app_name, is_app_name
from bot.setting_values import http_base, is_loopback, public_base, read_accounts
from bot.views import setup_github as words
from bot.views import setup_github_refusals as refusals
from bot.views.setup_panel import Panel
from integrations.github.accounts import is_login

OWNERS = ("organization", "user")


def plan_of(known: Known) -> AppPlan:
    """The App that the person has described."""
    facts = known.facts
    return AppPlan(
        name=facts["app_name"],
        homepage=f"{known.github_url}/{facts['account']}",
        public="," in (known.get("GITHUB_ACCOUNTS") or ""),
        public_url=known.get("STANCH_PUBLIC_URL"),
        webhooks=facts["webhooks"] == "yes",
        more_permissions=frozenset(facts["permissions"].split()),
    )


def organization_of(known: Known) -> str | None:
    """The organization that is to own the App; None for a person's account."""
    return known.facts["account"] if known.facts["owner"] == "organization" else None


def _done(known: Known) -> bool:
    return known.get("GITHUB_APP_ID") is not None or known.fact("account") is not None


async def _view(_: SetupContext, known: Known) -> Panel:
    return words.account_panel(
        github_url=known.get("GITHUB_URL") or GITHUB,
        public_url=known.get("STANCH_PUBLIC_URL") or "",
        more_accounts=known.get("GITHUB_ACCOUNTS") or "",
    )


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    account, owner = form.get("account", "").lstrip("@"), form.get("owner", "")
    if not is_login(account) or looks_secret(account) or owner not in OWNERS:
        raise StepRefused(refusals.NO_LOGIN, "account")
    name = form.get("app_name") or app_name(account)
    if not is_app_name(name):
        raise StepRefused(refusals.BAD_NAME, "app_name")
    public_url, webhooks = _address(form)
    settings = {**_github(known, form.get("github_url", "")), **await new_keys(context, known)}
    settings["STANCH_PUBLIC_URL"] = public_url
    if "more_accounts" in form:
        accounts = _accounts(account, form["more_accounts"])
        settings["GITHUB_ACCOUNTS"] = ",".join(accounts) if len(accounts) > 1 else ""
    more = [one.name for one in PERMISSIONS if not one.asked and form.get(f"permission_{one.name}") == "yes"]
    return known.setting(**settings).finding(
        account=account,
        owner=owner,
        app_name=name,
        webhooks="yes" if webhooks else "no",
        permissions=" ".join(more),
    )


def _github(known: Known, url: str) -> dict[str, str]:
    """The settings of a server other than github.com; an API address that is set already is kept."""
    try:
        url = http_base(url or known.github_url)
    except ValueError as fault:
        raise StepRefused(refusals.address_fault("GitHub's address", str(fault)), "github_url") from None
    if url == known.github_url:
        return {}
    return {"GITHUB_URL": url, "GITHUB_API_URL": api_address(url)}


def _address(form: Mapping[str, str]) -> tuple[str, bool]:
    """The address of Stanch for browsers, empty without one, and whether GitHub sends webhooks there."""
    url, webhooks = form.get("public_url", ""), form.get("webhooks") == "yes"
    if not url:
        if webhooks:
            raise StepRefused(refusals.WEBHOOKS_WITHOUT_ADDRESS, "public_url")
        return "", False
    try:
        url = public_base(url)
    except ValueError as fault:
        raise StepRefused(refusals.address_fault("The address of Stanch", str(fault)), "public_url") from None
    if webhooks and is_loopback(urlsplit(url).hostname or ""):
        raise StepRefused(refusals.LOOPBACK_WEBHOOKS, "public_url")
    return url, webhooks


def _accounts(account: str, more: str) -> list[str]:
    """The account and the further ones that Stanch is to serve, in lower case, each once."""
    if not more:
        return [account.lower()]
    try:
        others = read_accounts(more)
    except ValueError as fault:
        raise StepRefused(
            refusals.address_fault("The list of further accounts", str(fault)), "more_accounts"
        ) from None
    return list(dict.fromkeys([account.lower(), *sorted(others)]))


ACCOUNT = SetupStep(
    name="account",
    title="GitHub account",
    done=_done,
    view=_view,
    submit=_submit,
    owns=("account", "GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "installed_on"),
    summary=lambda known: known.fact("account") or known.fact("app_owner") or "",
)
