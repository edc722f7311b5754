"""Why the set-up's steps about Slack can't be done like this, each with what to do."""

from collections.abc import Collection

from bot.rules.slack_addresses import app_address
from bot.rules.slack_tokens import SlackSecret
from integrations.slack import text as t
from integrations.slack.errors import SlackUnauthorized

NO_BOT_TOKEN = "There is no bot token yet: do the step Slack app again."  # noqa: S105 - A sentence.
NO_CHANNEL = "Choose one of the channels."
_KINDS = {
    SlackSecret.BOT: "This is the bot token (xoxb-…)",
    SlackSecret.APP_LEVEL: "This is an app-level token (xapp-…)",
    SlackSecret.USER: "This is a user token (xoxp-…)",
    SlackSecret.CONFIGURATION: "This token is for changing an app's configuration (xoxe…)",
    SlackSecret.BROWSER: "This token belongs to somebody's browser session (xoxc-…, xoxd-…); treat it as leaked",
    SlackSecret.SIGNING: "This looks like the signing secret",
    SlackSecret.UNKNOWN: "This is none of Slack's tokens",
}


def not_a_bot_token(kind: SlackSecret, api_url: str) -> str:
    """Another kind of secret was pasted."""
    later = {
        SlackSecret.APP_LEVEL: ", which the next step asks for",
        SlackSecret.SIGNING: ", which is asked for later where Slack sends requests over HTTP",
    }.get(kind, "")
    return (
        f"{_KINDS[kind]}{later}: copy the Bot User OAuth Token (xoxb-…) from the app's page OAuth & Permissions "
        f"({app_address(api_url, None, '')})."
    )


def token_refused(api_url: str, app_id: str | None, error: SlackUnauthorized) -> str:
    """Slack does not accept the bot token."""
    page = app_address(api_url, app_id, "oauth")
    if error.code in ("account_inactive", "token_revoked"):
        return (
            f"Slack says {error.code}: the app is not installed in the workspace any more. Install it at "
            f"{app_address(api_url, app_id, 'install-on-team')} and copy the new Bot User OAuth Token."
        )
    if error.code == "missing_scope":
        return (
            f"{error} Add that scope under Scopes, Bot Token Scopes at {page}, then reinstall the app there and "
            "paste the token again."
        )
    return (
        f"Slack refuses this bot token ({error.code}): install the app to the workspace, and copy the Bot User OAuth "
        f"Token from {page}"
    )


def scopes_missing(missing: Collection[str], api_url: str, app_id: str | None) -> str:
    """The token lacks scopes of the manifest."""
    names = ", ".join(sorted(missing))
    return (
        f"This token lacks the scopes {names}: add them under Scopes, Bot Token Scopes at "
        f"{app_address(api_url, app_id, 'oauth')}, Reinstall to the workspace there, and paste the token again."
    )


def other_workspace(found: str, before: str) -> str:
    """The token belongs to another workspace than the one that was set up before."""
    return (
        f"This token belongs to the workspace {found}, and Stanch was set up for {before}: copy the token of the app "
        "in that workspace, or tick Change the workspace."
    )


def not_asked(reason: str) -> str:
    """Slack can't be asked now; `reason` is a sentence."""
    return f"Slack could not be asked. {reason} Try again, or check the network and the proxy settings."


def not_an_app_token(kind: SlackSecret) -> str:
    """Another kind of secret was pasted."""
    return (
        f"{_KINDS[kind]}: generate an app-level token (xapp-…) on the app's page Basic Information, section "
        "App-Level Tokens."
    )


def app_token_of_another_app(app_id: str, page: str) -> str:
    """The app-level token and the bot token belong to two apps."""
    return f"This token belongs to another Slack app ({app_id}): generate one at {page}, section App-Level Tokens."


def app_token_refused(code: str, page: str) -> str:
    """Slack opens no connection for this token."""
    if code == "missing_scope":
        return (
            "This token lacks the scope connections:write, and a token's scopes don't change: generate another one "
            f"with that scope at {page}, section App-Level Tokens."
        )
    return (
        f"Slack refuses this app-level token ({code}): generate one with the scope connections:write at {page}, "
        "section App-Level Tokens."
    )


def socket_mode_off(page: str) -> str:
    """The app does not use Socket Mode."""
    return f"Socket Mode is off for this app: turn on Enable Socket Mode at {page}"


def not_a_signing_secret(kind: SlackSecret) -> str:
    """Another kind of secret was pasted."""
    return (
        f"{_KINDS[kind]}: copy the Signing Secret, 32 letters and digits, from the app's page Basic Information, "
        "section App Credentials."
    )


def channel_refused(name: str, code: str) -> str:
    """Slack does not let the bot read or write the channel."""
    where = t.clean(name, 80)
    if code in ("not_in_channel", "channel_not_found"):
        return f"Slack says {code} for {where}: the bot is not in that channel. Type /invite @Stanch there."
    if code == "is_archived":
        return f"The channel {where} is archived: unarchive it in Slack, or choose another one."
    return (
        f"Slack does not let the bot use {where} ({code}): ask an admin of the workspace, or choose another "
        "channel."
    )


def unusable_channel(name: str, *, archived: bool, shared: bool, member: bool) -> str | None:
    """Why a channel can't be the default one; None if it can."""
    where = f"#{t.clean(name, 80)}"
    if archived:
        return f"{where} is archived: unarchive it in Slack, or choose another channel."
    if shared:
        return f"{where} is shared with another organization, where Stanch shows no alerts: choose another channel."
    if not member:
        return f"The bot is not in {where}: type /invite @Stanch there."
    return None
