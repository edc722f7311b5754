"""The words of the set-up's steps about the Slack app, its channel and the test card."""

from collections.abc import Sequence

from bot.views.setup_panel import (
    CopyText,
    FactRows,
    InputField,
    Instructions,
    Panel,
    PanelForm,
    Paragraph,
    Part,
    WebLink,
)
from integrations.slack import text as t
from integrations.slack.blocks import Content, section

INSTALL = (
    "*Install App*, *Install to* your workspace, *Allow*. If it says *Request to Install*, an admin of the workspace "
    "has to approve it first."
)
AGAIN = "Read the list again"
CONNECTIONS = {"socket": "Socket Mode", "http": "HTTP, by signing secret"}


# The app


def app_panel(
    *,
    address: str,
    manifest: str,
    over_http: bool,
    public_url: str | None,
    problem: str | None,
    workspace: str | None,
) -> Panel:
    """Create the app, install it, paste its bot token."""
    fields = [InputField("bot_token", "Bot User OAuth Token", "secret", hint="It begins with `xoxb-`.")]
    if workspace is not None:
        fields.append(
            InputField(
                "other_workspace",
                "Change the workspace",
                "check",
                hint="Links of people stay with the former one.",
                optional=True,
            )
        )
    forms = [PanelForm("Check the token", tuple(fields))]
    if over_http:
        forms.append(
            PanelForm(
                "Use Socket Mode", hidden={"transport": "socket"}, aside="Slack can't reach it after all"
            )
        )
    elif public_url is not None:
        forms.append(
            PanelForm(
                "Use HTTP", hidden={"transport": "http"}, aside=f"Slack reaches {public_url} over HTTPS"
            )
        )
    way = (
        f"Slack will send its requests to `{public_url}`."
        if over_http
        else "Stanch opens the connection to Slack (Socket Mode), so that it needs no public address."
    )
    return Panel(
        (
            *_problem("The bot token in .env", problem),
            Paragraph(f"Stanch is an app of your own in Slack, made from a manifest. {way}"),
            WebLink("Create the Slack app", address),
            Instructions(
                (
                    "Choose the workspace, *Next*, *Create*.",
                    INSTALL,
                    "Copy the *Bot User OAuth Token* from *OAuth & Permissions*, and paste it here.",
                )
            ),
            CopyText(
                "If the page opens empty: choose From a manifest and JSON there, and paste this",
                manifest,
                folded=True,
            ),
        ),
        tuple(forms),
    )


# How its requests arrive


def connection_panel(*, page: str, over_http: bool, problem: str | None) -> Panel:
    """The app-level token, or the signing secret."""
    if over_http:
        return Panel(
            (
                Paragraph("Slack signs its requests with a secret of the app, by which Stanch knows them."),
                WebLink("Open the app's page Basic Information", page),
                Instructions(("*App Credentials*, *Signing Secret*, *Show*. Copy it.",)),
                Paragraph(
                    "No call of Slack's tells whether it is the right one. After the start, verify the address: "
                    "page *Event Subscriptions*, *Retry*."
                ),
            ),
            (PanelForm("Keep it", (InputField("signing_secret", "Signing Secret", "secret"),)),),
        )
    return Panel(
        (
            *_problem("The app-level token in .env", problem),
            Paragraph("A manifest can't make the token with which Stanch opens its connection."),
            WebLink("Open the app's page Basic Information", page),
            Instructions(
                (
                    "*App-Level Tokens*, *Generate Token and Scopes*.",
                    "Any name, *Add Scope*, `connections:write`, *Generate*. Copy the token.",
                )
            ),
        ),
        (
            PanelForm(
                "Check the token",
                (InputField("app_token", "App-level token", "secret", hint="It begins with `xapp-`."),),
            ),
        ),
    )


# The channel


def channel_panel(
    channels: Sequence[tuple[str, str, bool]], *, shared: Sequence[str], problem: str | None
) -> Panel:
    """The channels that the bot is in: id, name, and whether everybody in the workspace can read it."""
    parts: list[Part] = [
        *_problem("The channel in .env", problem),
        Paragraph(
            "Alerts that no other channel has asked for come here, and what Stanch has to tell its operators. "
            "A private channel keeps the names of leaks among the people in it."
        ),
        Instructions(
            (
                "In Slack, open the channel and type `/invite @Stanch`.",
                "Choose it here, once it is in the list.",
            )
        ),
    ]
    if shared:
        names = ", ".join(f"#{name}" for name in shared)
        parts.append(FactRows((("Shared with another organization, so not usable", names),)))
    if not channels:
        parts.append(Paragraph("The bot is in no channel that it can use yet."))
        return Panel(tuple(parts), (PanelForm(AGAIN),))
    choices = tuple(
        (channel, f"#{t.clean(name, 80)} ({'public' if public else 'private'})")
        for channel, name, public in channels
    )
    chosen = InputField("channel", "Channel", "choice", choices[0][0], choices=choices)
    return Panel(
        tuple(parts),
        (PanelForm("Use this channel", (chosen,)), PanelForm(AGAIN, aside="The channel is not in the list")),
    )


# The test card


def before_test_card(channel: str) -> Panel:
    """Nothing is posted yet."""
    return Panel(
        (
            Paragraph("Last: a card with an alert that does not exist, to see that Slack shows it."),
            FactRows((("Channel", f"#{channel}"),)),
        ),
        (PanelForm("Post the test card"),),
    )


def after_test_card(channel: str, link: str, card: str) -> Panel:
    """The card is in the channel; `card` is its `ts`."""
    return Panel(
        (
            Paragraph("The card is there. Its controls do nothing: there is no such alert."),
            FactRows((("Channel", f"#{channel}"),)),
            WebLink("See it in Slack", link),
        ),
        (PanelForm("Take it away, and finish", hidden={"card": card}),),
    )


def marked_as_test(card: Content) -> Content:
    """The card below a line that says that it is none."""
    words = t.mrkdwn("*Test card of the set-up.* No secret was leaked; it is taken away in a moment.")
    return Content(words, (section(words), *card.blocks))


def _problem(what: str, sentence: str | None) -> tuple[Part, ...]:
    """Why something that is set is asked for again."""
    return (FactRows(((what, sentence),)),) if sentence else ()
