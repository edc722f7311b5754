"""The words of the set-up's steps about GitHub."""

from bot.rules.github_app_manifest import LONGEST_NAME, PERMISSIONS, AppPlan
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

NO_LOGIN = (
    "Write the login of the organization or user as it is in GitHub's addresses, as octo in github.com/octo."
)
BAD_NAME = f"GitHub takes names of at most {LONGEST_NAME} characters with a letter or a digit in them."
WEBHOOKS_WITHOUT_ADDRESS = "GitHub needs an address for its webhooks: write it here, or untick the box below."
LOOPBACK_WEBHOOKS = (
    "GitHub can't reach an address of this machine alone: write one that it reaches, or untick the box below."
)
APP_NOT_EXPECTED = (
    "An App is set already, so the one that GitHub has just made was not taken over: delete it there, on its page "
    "Advanced, Delete GitHub App."
)
CODE_UNKNOWN = (
    "GitHub does not know this answer any more: it works once and within an hour. If the App is on GitHub's list "
    "(Settings, Developer settings, GitHub Apps), delete it there, and create it again."
)
BAD_APP_ID = "Write the number behind App ID on the App's page General, section About."

_ACCESS = {"read": "read", "write": "read and write"}


def account_panel(*, github_url: str, public_url: str) -> Panel:
    """Which account, and where Stanch will be reached."""
    more = tuple(
        InputField(
            f"permission_{one.name}",
            f"{one.title}: {one.access}",
            "check",
            hint=one.reason[0].upper() + one.reason[1:] + ".",
            optional=True,
        )
        for one in PERMISSIONS
        if not one.asked
    )
    return Panel(
        (
            Paragraph(
                "Stanch acts on GitHub through a GitHub App of your own. It belongs to the account whose "
                "repositories have the alerts."
            ),
        ),
        (
            PanelForm(
                "Continue",
                (
                    InputField(
                        "owner",
                        "The App belongs to",
                        "choice",
                        "organization",
                        choices=(("organization", "an organization"), ("user", "my own account")),
                    ),
                    InputField("account", "Login of that account", hint="As `octo` in `github.com/octo`."),
                    InputField(
                        "app_name",
                        "Name of the App",
                        hint="Empty: `stanch-` and the account. Names are unique on all of GitHub.",
                        optional=True,
                    ),
                    InputField(
                        "public_url",
                        "Address of Stanch",
                        value=public_url,
                        hint="Where people's browsers will reach it, as `https://stanch.octo.example`; a name of "
                        "your own network is enough. People then link their GitHub account by signing in. "
                        "Without it, operators link people.",
                        optional=True,
                    ),
                    InputField(
                        "webhooks",
                        "GitHub reaches this address too",
                        "check",
                        hint="Then alerts arrive by webhook within seconds, else by a sync every 15 minutes.",
                        optional=True,
                    ),
                    InputField(
                        "more_accounts",
                        "Further accounts",
                        hint="Logins with commas between, if one Stanch is to serve several. The App is public then.",
                        optional=True,
                    ),
                    InputField(
                        "github_url",
                        "Address of GitHub",
                        value=github_url,
                        hint="Change it for GitHub Enterprise Server or GHE.com.",
                        optional=True,
                    ),
                    *more,
                ),
            ),
        ),
    )


def app_panel(plan: AppPlan, account: str, page: str, manifest: str) -> Panel:
    """What the App will be, the form that goes to GitHub, and the way by hand."""
    return Panel(
        (
            *_described(plan, account),
            Paragraph(
                "GitHub asks you to confirm the name, and then sends you back here. *Sign in to GitHub in this "
                "browser first*, as an owner of the account."
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
        (one.title, _ACCESS[one.access], one.reason) for one in PERMISSIONS if one.name in plan.permissions
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
            InputField("client_id", "Client ID", hint="On the same page, as `Iv23li…`.", optional=True)
        )
        fields.append(InputField("client_secret", "Client secret", "secret", optional=True))
    return PanelForm("Use this App", tuple(fields), aside=aside)


def address_fault(what: str, fault: str) -> str:
    """`fault` is the end of a sentence about a setting."""
    return f"{what} {fault}."


def other_owner(slug: str, owner: str, account: str) -> str:
    """GitHub made the App on another account than the chosen one."""
    return (
        f"GitHub made the App {slug} on {owner}, not on {account}, so nothing was taken over from it. Delete it "
        f"there (Settings of {owner}, Developer settings, GitHub Apps, {slug}, Advanced, Delete GitHub App), "
        f"then create it again, signed in as an owner of {account}."
    )


def other_app(owner: str, account: str) -> str:
    """The App id and key belong to an App of another account."""
    return (
        f"This App belongs to {owner}, not to {account}: take the App ID and a key from an App of {account}, "
        "or choose the other account in the step before."
    )


def key_not_written(slug: str, reason: str, page: str) -> str:
    """The App is made, its key is lost."""
    return (
        f"GitHub made the App {slug}, but its key could not be kept: {reason} Mend that, generate a new key at "
        f"{page} (General, Private keys), and enter it under I have an App already."
    )


def not_converted(reason: str) -> str:
    """GitHub did not hand the App over; `reason` is the platform's."""
    return (
        f"GitHub did not hand the new App over: {reason}. Look at GitHub's list (Settings, Developer settings, "
        "GitHub Apps): if the App is there, generate a key on its page and enter both under I have an App already."
    )


def bad_key_file(fault: str) -> str:
    """`fault` is the end of a sentence about the key."""
    return f"The path {fault}: download the key from the App's page General, Private keys, Generate a private key."


def key_refused(detail: str | None, clock_ahead: float | None) -> str:
    """GitHub does not accept the App id with this key."""
    if clock_ahead is not None and abs(clock_ahead) > 60:
        way = "ahead" if clock_ahead > 0 else "behind"
        return f"This machine's clock is {abs(round(clock_ahead))} seconds {way}: set it."
    reason = f" ({detail})" if detail else ""
    return (
        f"GitHub refuses this App ID with this key{reason}: they belong to different Apps, or the key was deleted. "
        "Compare the ID with the App's page General, and generate a private key there."
    )


def not_asked(reason: str) -> str:
    """GitHub can't be asked now."""
    return f"GitHub could not be asked: {reason}. Try again, or check the address of GitHub and the proxy settings."
