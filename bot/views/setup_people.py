"""The words of the set-up's step about the person who sets Stanch up."""

from collections.abc import Sequence

from bot.views.setup_panel import InputField, Panel, PanelForm, Paragraph
from integrations.slack.text import clean

NO_USER_ID = (
    "Write a Slack user id, as U012AB3CD: in Slack, open your profile, the three dots, Copy member ID."
)
UNKNOWN_USER = (
    "Slack knows no such person here: take the id from your profile in Slack, the three dots, Copy member ID."
)
NO_LOGIN = "Write your login as it is in GitHub's addresses, as octocat in github.com/octocat."
OUTSIDERS = {
    "bot": "is a bot",
    "deactivated": "is deactivated in Slack",
    "other_organization": "belongs to another organization in Slack",
    "guest": "is a guest in Slack",
}


def person_panel(people: Sequence[tuple[str, str]], *, many: bool, account: str | None) -> Panel:
    """Who sets Stanch up: one of `people` (id, name), or by id where the channel has too many."""
    choices = tuple((user, f"{clean(name, 60)} ({user})") for user, name in people)
    fields = []
    if choices:
        fields.append(InputField("slack_user", "You in Slack", "choice", choices[0][0], choices=choices))
    fields.append(
        InputField(
            "other_user",
            "Another Slack user" if choices else "Your Slack user id",
            hint="As `U012AB3CD`: in Slack, your profile, the three dots, *Copy member ID*.",
            optional=bool(choices),
            rare=bool(choices),
        )
    )
    fields.append(InputField("login", "You on GitHub", value=account or "", hint="The login, as `octocat`."))
    parts = [
        Paragraph(
            "Stanch lets people do what GitHub lets them do, so it has to know who is who. You are the first; others "
            "link themselves, or you link them with `stanch identities add`."
        ),
        Paragraph(
            "Choose *yourself* only: anybody who controls that Slack account can then act on alerts with the rights "
            "of that GitHub account. You also become an operator, who may type `/leaks doctor`."
        ),
    ]
    if many:
        parts.append(Paragraph("The channel has too many people to list them here."))
    elif not choices:
        parts.append(Paragraph("Nobody but the bot is in the channel whom Stanch could serve."))
    return Panel(tuple(parts), (PanelForm("Link me", tuple(fields)),))


def outsider(name: str, reason: str) -> str:
    """Why this Slack user is never served."""
    return (
        f"{clean(name, 60)} {OUTSIDERS.get(reason, 'is not of this workspace')}, and Stanch serves full members of "
        "the workspace alone: choose another account."
    )


def bad_operators(fault: str) -> str:
    """`fault` is the end of a sentence about the setting."""
    return f"STANCH_OPERATORS in .env {fault}: correct it there, and run stanch setup again."


def no_account(login: str, github_url: str) -> str:
    """GitHub has no such login."""
    return f"GitHub ({github_url}) has no account {clean(login, 60)}: correct its spelling."


def no_person(login: str, kind: str) -> str:
    """The login is an organization's or a bot's; `kind` is GitHub's word."""
    return f"{clean(login, 60)} is no person's account on GitHub ({clean(kind, 30)}): write the login of your own."


def not_installed(page: str) -> str:
    """No installation with which GitHub could be asked."""
    return (
        f"The App is not installed on any account, so GitHub can't be asked for yours: install it at {page}"
    )


def github_not_asked(reason: str) -> str:
    """GitHub did not answer for the login."""
    return f"GitHub could not be asked for that account: {reason}. Try again."
