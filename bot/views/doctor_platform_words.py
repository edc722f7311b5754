"""The words of the doctor's results about Slack and GitHub: by code, what was found and what to do about it."""

from collections.abc import Mapping

_SLACK: Mapping[str, tuple[str, str]] = {
    "slack.ok": ("the bot token works in {url}, with all scopes", ""),
    "slack.socket_ok": ("Socket Mode can be opened", ""),
    "slack.no_answer": (
        "{subject} does not answer ({reason}).",
        "Look at status.slack.com, and at firewall and proxy: stanch doctor --network lists what is needed.",
    ),
    "slack.certificate": (
        "{subject} has a certificate that is not trusted here ({reason}).",
        "Put the certificate authority that signed it into a file that SSL_CERT_FILE names.",
    ),
    "slack.token_refused": (
        "{server} refuses {subject} ({reason}).",
        "Copy the Bot User OAuth Token (page OAuth & Permissions): {page}",
    ),
    "slack.other_workspace": (
        "The bot token belongs to {url} ({subject}), and people are linked in another workspace ({former}).",
        "Set the token of that workspace, or link people in this one.",
    ),
    "slack.scope_missing": (
        "The bot token lacks the scope {subject}, needed for {feature}.",
        "Add it (section Scopes, Bot Token Scopes), then Reinstall to Workspace: {page}",
    ),
    "slack.app_token_refused": (
        "{server} refuses {subject} ({reason}).",
        "Generate one with connections:write (page Basic Information, section App-Level Tokens): {page}",
    ),
    "slack.other_app": (
        "{subject} belongs to another app ({app}) than the bot token ({bot}), so no request would come.",
        "Generate one with connections:write (page Basic Information, section App-Level Tokens): {page}",
    ),
    "slack.app_token_scope": (
        "{subject} lacks the scope {scope}, without which Socket Mode can't be opened.",
        "Generate one with connections:write (page Basic Information, section App-Level Tokens): {page}",
    ),
    "slack.no_socket_mode": (
        "Slack opens no Socket Mode connection for {subject} ({reason}).",
        "Enable Socket Mode: {page}",
    ),
    "slack.odd_signing_secret": (
        "{subject} does not look like Slack's, which have 32 digits from 0-9 and a-f.",
        "Copy the Signing Secret (page Basic Information, section App Credentials): {page}",
    ),
}
_CHANNELS: Mapping[str, tuple[str, str]] = {
    "channels.ok": ("fit for alerts: {number}", ""),
    "channels.not_asked": ("Channels that could not be asked about: {number}.", ""),
    "channels.not_found": (
        "Slack shows the bot no channel {subject} ({reason}).",
        "Invite the bot if the channel is private (/invite @Stanch); else correct the id.",
    ),
    "channels.archived": (
        "The channel {name} ({subject}) is archived.",
        "Unarchive it, or choose another one: STANCH_DEFAULT_CHANNEL, stanch subscriptions remove {subject}.",
    ),
    "channels.shared": (
        "The channel {name} ({subject}) is shared with another organization, so it gets no alerts.",
        "Choose another one: STANCH_DEFAULT_CHANNEL, stanch subscriptions remove {subject}.",
    ),
    "channels.bot_not_in": (
        "The bot is not in the channel {name} ({subject}).",
        "Type /invite @Stanch there.",
    ),
    "channels.paused": (
        "The subscription of {subject} is paused, since its author lost the right to its alerts.",
        "Let somebody with that right type /leaks subscribe in the channel.",
    ),
    "channels.author_lost": (
        "The author of the subscription of {subject} has lost the right to its alerts; it is paused soon.",
        "Let somebody with that right type /leaks subscribe in the channel.",
    ),
}
_GITHUB: Mapping[str, tuple[str, str]] = {
    "github.ok": ("the App's key works; installed on {subject}", ""),
    "github.no_answer": (
        "{subject} does not answer as it should: {reason}.",
        "Look at githubstatus.com, and at firewall and proxy: stanch doctor --network lists what is needed.",
    ),
    "github.certificate": (
        "{subject} has a certificate that is not trusted here ({reason}).",
        "Put the certificate authority that signed it into a file that SSL_CERT_FILE names.",
    ),
    "github.clock_off": (
        "The clock of this machine is {seconds} seconds {side} GitHub's.",
        "Set it right, as by NTP.",
    ),
    "github.key_refused": (
        "{subject} refuses GITHUB_APP_ID with GITHUB_APP_PRIVATE_KEY ({reason}).",
        "Check that id, key and GITHUB_API_URL belong together; a new key is made on the App's page, Private keys.",
    ),
    "github.old_server": (
        "GitHub Enterprise Server {version} is not supported; {oldest} is the oldest that is.",
        "Upgrade it.",
    ),
    "github.other_client_id": (
        "{subject} is that of another App; this one has {client_id}.",
        "Set it and GITHUB_APP_CLIENT_SECRET from this App's page.",
    ),
    "github.client_secret_refused": (
        "GitHub refuses {subject} for the client ID of the App, so nobody can sign in.",
        "Generate a client secret, and set it: {page}",
    ),
    "github.not_installed": ("The App is not installed on {subject}.", "Install it: {page}/installations"),
    "github.suspended": ("The installation on {subject} is suspended.", "Unsuspend it: {page}"),
    "github.account_changed": ("{sentence}.", "Correct GITHUB_ACCOUNTS."),
    "github.not_served": ("The App is also installed on {subject}, which GITHUB_ACCOUNTS does not name.", ""),
    "github.permission_not_asked": (
        "The App does not ask for {permission}: {access}, needed on {subject} for: {reason}.",
        "Add it, then let an owner accept it: {page}",
    ),
    "github.permission_not_accepted": (
        "{subject} has not accepted {permission}: {access}, needed for: {reason}.",
        "An owner accepts the request there: {page}",
    ),
}
_WEBHOOKS: Mapping[str, tuple[str, str]] = {
    "webhooks.ok": ("{subject}; deliveries in the last day: {number}, none failed", ""),
    "webhooks.off": ("The App has no webhook; alerts come by sync, every {seconds} seconds.", ""),
    "webhooks.not_asked": ("The App's webhook could not be asked about: {reason}.", ""),
    "webhooks.no_secret": (
        "GitHub sends webhooks to {url}, and {subject} is not set: each is answered 503.",
        "Set it to the webhook secret of the App, or remove the address: {page}",
    ),
    "webhooks.no_way": (
        "The App has no webhook and {subject} is 0: alerts come at a start of the server alone.",
        "Remove the setting, so that a sync comes every 15 minutes, or give the App a webhook.",
    ),
    "webhooks.no_address": (
        "{subject} is set, and the App has no webhook address: alerts come by sync alone.",
        "Enter the address that leads to /github/webhooks of Stanch: {page}",
    ),
    "webhooks.other_path": (
        "GitHub sends webhooks to {subject}, which does not end with {path}.",
        "Correct the address: {page}",
    ),
    "webhooks.not_encrypted": (
        "GitHub sends webhooks to {subject} without encryption.",
        "Let a proxy serve it by https, and correct the address: {page}",
    ),
    "webhooks.certificate_not_verified": (
        "GitHub does not verify the certificate of {subject}.",
        "Enable SSL verification: {page}",
    ),
    "webhooks.event_missing": (
        "The App does not subscribe to the event {subject}, so that these are noticed late: {feature}.",
        "Tick it under Subscribe to events: {page}",
    ),
    "webhooks.signature_refused": (
        "The last delivery ({at} UTC) got a 401: {subject} is not the App's. Failed in a day: {failed} of {number}.",
        "Enter the same secret on the App's page and in {subject}; what failed is listed there: {page}",
    ),
    "webhooks.failing": (
        "The last delivery to {subject} ({at} UTC) failed: {status}. Failed in a day: {failed} of {number}.",
        "Let the address of the App's webhook lead to stanch serve; what failed is listed there: {page}",
    ),
    "webhooks.some_failed": (
        "Deliveries to {subject} that failed in a day: {failed} of {number}, the last one at {at} UTC: {status}.",
        "The next sync has them sent again; if it goes on, look there: {page}",
    ),
}
_REPOSITORIES: Mapping[str, tuple[str, str]] = {
    "repositories.ok": ("all of {subject} are scanned ({number})", ""),
    "repositories.not_listed": (
        "GitHub does not list the repositories of {subject}: {reason}.",
        "See what GitHub's reason asks for.",
    ),
    "repositories.not_asked": ("Repositories of {subject} that could not be asked about: {number}.", ""),
    "repositories.scanning_off": (
        "Repositories of {subject} in which secret scanning is off: {number} ({names}).",
        "Turn it on in each: Settings, Advanced Security, Secret Protection.",
    ),
    "repositories.never_scanned": (
        "Repositories of {subject} in which no scan was ever completed: {number} ({names}).",
        "Wait for an hour after secret scanning was turned on; then ask GitHub's support.",
    ),
    "repositories.refused": (
        "Repositories of {subject} about whose scans GitHub refuses to tell ({reason}): {number} ({names}).",
        "See what GitHub's reason asks for, as an entry in the organization's list of allowed addresses.",
    ),
}
THEIRS: Mapping[str, tuple[str, str]] = {**_SLACK, **_CHANNELS, **_GITHUB, **_WEBHOOKS, **_REPOSITORIES}
"""Text and remedy of what concerns Slack and GitHub; the remedy is empty where nothing has to be done."""
