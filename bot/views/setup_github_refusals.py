"""Why a step of the set-up about GitHub is refused, and the exact place to click."""

from collections.abc import Sequence

from bot.rules.github_app_manifest import LONGEST_NAME, AppPermission
from bot.views.setup_github import ACCESS

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
NO_KEY_FILE = "Write the path of the key's file on this machine, as /etc/stanch/app.pem, not the key itself."
BAD_APP_ID = "Write the number behind App ID on the App's page General, section About."


def not_installed(missing: str, slug: str) -> str:
    """GitHub lists no installation there."""
    return (
        f"GitHub says that {slug} is not installed on {missing} yet: on the page that the link opens, choose the "
        "account and press Install. An organization's owner may have to approve it (Settings, GitHub Apps)."
    )


def suspended(login: str, slug: str) -> str:
    """The installation was suspended on GitHub."""
    return (
        f"The installation on {login} is suspended: lift that in the Settings of {login}, GitHub Apps, {slug}, "
        "Configure, Unsuspend."
    )


def lacks_permissions(slug: str, lacking: Sequence[AppPermission]) -> str:
    """The App by hand asks for too little."""
    listed = ", ".join(f"{one.title}: {ACCESS[one.access]}" for one in lacking)
    return f"The App {slug} lacks {listed}: set it on the App's page Permissions & events, and Save changes."


def in_environment(name: str) -> str:
    """The environment wins over `.env`, so that a new value would have no effect."""
    return f"{name} is also set in the environment, which wins over .env: unset it there, and run stanch setup again."


def bad_setting(name: str, fault: str) -> str:
    """`fault` is the end of a sentence about the setting."""
    return f"{name} in .env {fault}: correct it there, or do the step GitHub App again."


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
