"""Refusals that several actions share: why somebody can't act here, or not on this repository, and what helps."""

from bot.errors import Refused
from bot.views.formatting import when
from integrations.github.errors import GitHubError, GitHubRateLimited
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Repository, SlackUserId

WHOAMI = Mrkdwn("Wrong account? `/leaks whoami` shows which one you are here.")
NOT_THEIRS = "There is no such alert, or it is not yours to see."


def alert_not_visible(reason: str) -> Refused:
    """The one refusal for an alert that isn't there and for one that isn't theirs: nobody learns which it is."""
    return Refused(reason, NOT_THEIRS, hint=WHOAMI)


def lacks_role(verb_phrase: str, role: str, login: str, repository: Repository) -> Refused:
    """Somebody may see the alert and not do that. `verb_phrase` says what was wanted: `close this alert`."""
    owner = t.code(repository.owner.login)
    if repository.owner_type == "Organization":
        needed = Mrkdwn("That takes repository admin, security manager or organization owner.")
        giver = t.mrkdwn("An owner of {} can give you a role.", owner)
    else:
        needed = Mrkdwn("That takes repository admin.")
        giver = t.mrkdwn("{} can give you the role.", owner)
    name = t.code(repository.full_name)
    is_now = t.mrkdwn("GitHub says that the role of {} in {} is: {}.", t.code(login), name, role)
    return Refused(
        "no_role", f"You can't {verb_phrase}.", t.lines(is_now, t.join((needed, giver), " ")), WHOAMI
    )


def not_linked(user: SlackUserId) -> Refused:
    """Somebody whose GitHub account nobody has told Stanch."""
    return Refused(
        "not_linked",
        "Stanch doesn't know which GitHub account is yours.",
        t.mrkdwn("Ask whoever runs Stanch to link {} to your GitHub account.", t.user(user)),
        t.mrkdwn("They do it with {}", t.code(f"stanch identities add {user} YOUR_GITHUB_LOGIN")),
    )


def incomplete_form() -> Refused:
    """A form whose fields are not as the form asks: they are checked again where it counts."""
    return Refused("bad_form", "The form was not complete.", "Open it again from the card.")


def changed_meanwhile(now: str) -> Refused:
    """GitHub's answer was lost, and then the alert was changed: doing it again could undo what somebody decided."""
    return Refused(
        "changed_meanwhile",
        "The alert was changed before GitHub's answer came.",
        t.mrkdwn("{} What you wanted may have been done and undone by somebody else.", now),
        "Look at the card, and do it again if it is still right.",
    )


def outcome_unknown(why: str) -> Refused:
    """The answer to something that may have been done was lost, and nobody can find out; `why` is plain text."""
    return Refused(
        "outcome_unknown",
        "It is not known whether it was done.",
        t.mrkdwn("GitHub's answer was lost, and asking it later did not help: {}.", why),
        "Look at the alert on GitHub. You can do it again from the card: a second time does no harm.",
        quoted=why,
    )


def outsider(reason: str) -> Refused:
    """Somebody who may never act here; `reason` is the short word for the audit log."""
    return Refused(
        reason,
        "You can't use Stanch here.",
        "Guests, bots, deactivated users and people of other organizations can't.",
    )


def shared_channel() -> Refused:
    """A channel that people of another organization can read."""
    return Refused(
        "shared_channel",
        "Nothing can be done here: this channel is shared with another organization.",
        "Use a channel of this workspace alone.",
    )


def bot_not_in_channel() -> Refused:
    """A private channel without the bot: nobody can tell whether others read it."""
    return Refused(
        "unseen_channel",
        "Stanch is not in this channel, so it can't tell who else reads it.",
        "Invite it with /invite, or ask in a public channel.",
    )


def slack_unreachable() -> Refused:
    """Slack can't be asked who somebody is; then the answer is no."""
    return Refused("slack_unreachable", "Slack did not say who you are; try again in a moment.")


def github_unreachable(error: GitHubError) -> Refused:
    """GitHub can't be asked; then the answer is no. The log has the call, the person what to expect."""
    if error.status is not None and 400 <= error.status < 500 and not isinstance(error, GitHubRateLimited):
        answered = t.join((github_answer(error), Mrkdwn("If it stays so, tell whoever runs Stanch.")), " ")
        return Refused(
            "github_refused", "GitHub refused, so nothing was done.", answered, quoted=github_reason(error)
        )
    if isinstance(error, GitHubRateLimited):
        why = t.mrkdwn("It takes no more questions before {}.", when(error.retry_at))
    elif error.status is not None:
        why = t.mrkdwn("It answered {}. Try again in a few minutes.", error.status)
    else:
        why = Mrkdwn("It does not answer. Try again in a few minutes.")
    return Refused("github_unreachable", "GitHub can't be asked right now, so nothing was done.", why)


def github_answer(error: GitHubError) -> Mrkdwn:
    """GitHub's answer with its own reason, for a person."""
    reason = github_reason(error)
    return (
        t.mrkdwn("It answered {}: “{}”", error.status or "nothing", reason)
        if reason
        else t.mrkdwn("It answered {}.", error.status or "nothing")
    )


def github_reason(error: GitHubError) -> str | None:
    """GitHub's own reason of a refusal: of a 4xx that is no limit."""
    refused = (
        error.status is not None and 400 <= error.status < 500 and not isinstance(error, GitHubRateLimited)
    )
    return error.detail if refused and error.detail else None


def role_unknown() -> Refused:
    """GitHub can't be asked what somebody may see, and has not said so within the hour."""
    return Refused(
        "github_unreachable",
        "GitHub can't be asked right now what you may see.",
        "Try again in a few minutes.",
    )


def repository_out_of_reach(repository: Repository) -> Refused:
    """The stored repository answers no more, under no name."""
    return Refused(
        "unreachable",
        "GitHub no longer gives Stanch access to this repository.",
        t.mrkdwn(
            "{} was removed from the GitHub App's installation, deleted, or moved.",
            t.code(repository.full_name),
        ),
    )


def outdated_control() -> Refused:
    """What a person is told who used a control or a form that this version does not know."""
    return Refused(
        "outdated_control",
        "This control does nothing any more.",
        Mrkdwn("Stanch was changed since the message was written. `/leaks help` lists what there is now."),
    )


def form_not_opened() -> Refused:
    """What a person is told whose form Slack did not open: it takes a click as one for three seconds only."""
    return Refused(
        "form_not_opened", "Slack did not open the form, so nothing was done.", "Click once more in a moment."
    )


def internal_error(incident: str) -> Refused:
    """What a person is told when something of ours broke; the log has the same short id."""
    return Refused(
        "mistake",
        "Something went wrong in Stanch.",
        t.mrkdwn(
            "It may not have been done: look at the card before you try again. "
            "If it stays so, tell whoever runs Stanch this id: {}",
            t.code(incident),
        ),
    )
