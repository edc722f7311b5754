"""The words of the set-up's steps about GitHub."""

from dataclasses import replace

from bot.rules.github_app_manifest import PERMISSIONS, AppPermission, AppPlan
from bot.views.setup_panel import (
    FactRows,
    InputField,
    Instructions,
    Panel,
    PanelForm,
    Paragraph,
    Part,
    WebLink,
    WideTable,
)

ACCESS = {"read": "read", "write": "read and write"}
"""GitHub's words for the access to something, as people read them."""


OWN_APP = Paragraph(
    "Stanch acts on GitHub through a GitHub App of your own. It belongs to the account whose repositories have the "
    "alerts."
)
OWNER = InputField(
    "owner",
    "The App belongs to",
    "choice",
    "organization",
    choices=(("organization", "an organization"), ("user", "my own account")),
)
LOGIN = InputField("account", "Login of that account", hint="As `octo` in `github.com/octo`.")
PUBLIC_URL = InputField(
    "public_url",
    "Address of Stanch",
    hint="Where people's browsers will reach it, as `https://stanch.octo.example`; a name of your own network is "
    "enough. People then link their GitHub account by signing in. Without it, operators link people.",
    optional=True,
)
WEBHOOKS = InputField(
    "webhooks",
    "GitHub reaches this address too",
    "check",
    hint="Then alerts arrive by webhook within seconds, else by a sync every 15 minutes.",
    optional=True,
)
APP_NAME = InputField(
    "app_name",
    "Name of the App",
    hint="Empty: `stanch-` and the account. Names are unique on all of GitHub.",
    optional=True,
    rare=True,
)
MORE_ACCOUNTS = InputField(
    "more_accounts",
    "Further accounts",
    hint="Logins with commas between, if one Stanch is to serve several. The App is public then.",
    optional=True,
    rare=True,
)
GITHUB_URL = InputField(
    "github_url",
    "Address of GitHub",
    hint="Change it for GitHub Enterprise Server or GHE.com.",
    optional=True,
    rare=True,
)


def account_panel(*, github_url: str, public_url: str, more_accounts: str) -> Panel:
    """Which account, and where Stanch will be reached."""
    fields = (
        OWNER,
        LOGIN,
        replace(PUBLIC_URL, value=public_url),
        WEBHOOKS,
        APP_NAME,
        replace(MORE_ACCOUNTS, value=more_accounts),
        replace(GITHUB_URL, value=github_url),
        *map(_permission, (one for one in PERMISSIONS if not one.asked)),
    )
    return Panel((OWN_APP,), (PanelForm("Continue", fields),))


def _permission(one: AppPermission) -> InputField:
    hint = f"{one.reason[0].upper()}{one.reason[1:]}."
    label = f"Ask for {one.title}: {ACCESS[one.access]}"
    return InputField(f"permission_{one.name}", label, "check", hint=hint, optional=True, rare=True)


def app_panel(plan: AppPlan, account: str, page: str, manifest: str) -> Panel:
    """What the App will be, the form that goes to GitHub, and the way by hand."""
    return Panel(
        (
            *_described(plan, account),
            Paragraph(
                "GitHub asks you to confirm the name, and then sends you back here. *Sign in to GitHub in this "
                "browser first*, as an owner of the account."
            ),
            Paragraph(
                "If GitHub says that there is no such page, the login is misspelt, the kind of account is the other "
                "one, or you are signed in as somebody who does not own it: do the step *GitHub account* again."
            ),
        ),
        (
            PanelForm(f"Create the App on {account}", hidden={"manifest": manifest}, to=page),
            _by_hand(plan, aside="I have an App already"),
        ),
    )


def app_by_hand_panel(plan: AppPlan, account: str, address: str) -> Panel:
    """The way without a browser on this machine."""
    steps = [
        "Open the address below in a browser, signed in to GitHub as an owner of the account. Its form is filled in.",
        "*Create GitHub App*, at the bottom of the page.",
        "On the App's page *General*, section *Private keys*: *Generate a private key*. Copy the file here.",
    ]
    if plan.webhook_url:
        steps.insert(
            1,
            "Section *Webhook*: enter a long random *Secret*, as from `openssl rand -hex 32`. Keep it for below.",
        )
    if plan.public_url:
        steps.append("Section *Client secrets*: *Generate a new client secret*. Keep it for below.")
    return Panel(
        (*_described(plan, account), Instructions(tuple(steps)), WebLink("Register the App", address)),
        (_by_hand(plan),),
    )


def _described(plan: AppPlan, account: str) -> tuple[Part, ...]:
    rows = tuple(
        (one.title, ACCESS[one.access], one.reason) for one in PERMISSIONS if one.name in plan.permissions
    )
    facts = [
        ("Name", plan.name),
        ("Owner", account),
        ("Can be installed by", "any account" if plan.public else f"{account} alone"),
        ("Webhooks", plan.webhook_url or "none: alerts come by sync"),
        (
            "Sign-in returns to",
            plan.callback_urls[0] if plan.callback_urls else "nowhere: operators link people",
        ),
    ]
    if plan.events:
        facts.append(("Events", ", ".join(plan.events)))
    return FactRows(tuple(facts)), WideTable(("Permission", "Access", "Reason"), rows)


def _by_hand(plan: AppPlan, aside: str = "") -> PanelForm:
    fields = [
        InputField("app_id", "App ID", hint="The number on the App's page *General*, section *About*."),
        InputField(
            "key_file",
            "Path of its private key",
            hint="The `.pem` file on this machine. It stays where it is.",
        ),
    ]
    if plan.webhook_url:
        fields.append(
            InputField(
                "webhook_secret",
                "Webhook secret",
                "secret",
                hint="As you entered it at GitHub.",
                optional=True,
            )
        )
    if plan.public_url:
        fields.append(
            InputField(
                "client_secret", "Client secret", "secret", hint="With it people sign in.", optional=True
            )
        )
    return PanelForm("Use this App", tuple(fields), aside=aside)


def installation_panel(slug: str, owner: str, page: str, missing: str) -> Panel:
    """Where the App has still to be installed."""
    parts: list[Part] = [
        FactRows((("App", slug), ("Owner", owner), ("Not installed yet on", missing))),
        Paragraph("Choose *All repositories*, or those whose alerts are to come to Slack, and *Install*."),
    ]
    if page:
        parts.append(WebLink("Install the App on GitHub", f"{page}/installations/new"))
    else:
        parts.append(Paragraph("On the App's page on GitHub: *Install App*."))
    return Panel(tuple(parts), (PanelForm("I have installed it"),))
