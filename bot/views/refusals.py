"""The shared refusals: each says why the request is refused and what to do. For guests and outsiders: `outsider`."""

from collections.abc import Sequence

from bot.errors import LimitReached, Refused
from bot.rules.rights import OthersCan
from bot.views.formatting import done_often, joined_words
from integrations.github.errors import GitHubError, GitHubRateLimited
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import ChannelId, Repository, SlackUserId, UnixTime

WHOAMI = Mrkdwn("Wrong account? `/leaks whoami` shows which one you are here.")
ORGANIZATION_ROLES = Mrkdwn(
    "Stanch can see these roles: organization owner, security manager, repository admin and custom roles."
)
USER_ROLES = Mrkdwn("Stanch can see these roles: owner of the repository and repository admin.")
SIGN_IN = Mrkdwn("Do you have the right in another way? Sign in with `/leaks link`, and GitHub decides.")
NOT_THEIRS = "There is no such alert, or it is not yours to see."


def alert_not_visible(reason: str) -> Refused:
    """The same refusal for a missing alert and for one that the person may not see, so that neither is revealed."""
    return Refused(reason, NOT_THEIRS, hint=WHOAMI)


def no_view(login: str, repository: Repository, help_words: Mrkdwn, *, can_sign_in: bool = False) -> Refused:
    """The person may not see the alert, whose card everybody in the channel sees; `help_words` as made below.

    With `can_sign_in`, GitHub itself would decide about the person once they have signed in.
    """
    headline = f"GitHub doesn't let {login} see the alerts of {repository.full_name}."
    organization = repository.owner_type == "Organization"
    known = (ORGANIZATION_ROLES if organization else USER_ROLES, SIGN_IN if can_sign_in else Mrkdwn(""))
    return Refused("no_role", headline, t.lines(help_words, t.join(filter(None, known), " ")), WHOAMI)


def help_words(
    names: Sequence[str], default_channel: ChannelId | None, channel: ChannelId | None = None
) -> Mrkdwn:
    """Who can do what was refused in `channel`; without names, where to ask."""
    if names:
        return t.mrkdwn("{} can.", joined_words(names))
    if default_channel is None:
        return Mrkdwn("Ask an operator of Stanch who can.")
    if default_channel == channel:
        return Mrkdwn("Ask in this channel who can.")
    return t.mrkdwn("Ask in the default channel {} who can.", t.channel(default_channel))


def lacks_role(
    verb_phrase: str,
    role: str,
    login: str,
    repository: Repository,
    help_words: Mrkdwn,
    *,
    can_sign_in: bool = False,
) -> Refused:
    """The person may see the alert but lacks the role for the action. `verb_phrase`: `close this alert`."""
    owner = t.code(repository.owner.login)
    if repository.owner_type == "Organization":
        needed = Mrkdwn("You need to be repository admin, security manager or organization owner.")
        giver = t.mrkdwn("An owner of {} can give you a role.", owner)
    else:
        needed = Mrkdwn("You need to be repository admin.")
        giver = t.mrkdwn("{} can give you the role.", owner)
    name = t.code(repository.full_name)
    is_now = t.mrkdwn("Role of {} in {} on GitHub: {}.", t.code(login), name, role)
    other_role = SIGN_IN if can_sign_in else Mrkdwn("")
    detail = t.lines(is_now, t.join((needed, giver), " "), help_words, other_role)
    return Refused("no_role", f"You can't {verb_phrase}.", detail, WHOAMI)


def naming(refused: OthersCan, help_words: Mrkdwn) -> Refused:
    """The refusal with who could do it; `help_words` as made above."""
    return Refused(
        refused.reason,
        refused.headline,
        t.lines(t.as_mrkdwn(refused.detail), help_words),
        refused.hint,
        quoted=refused.quoted,
    )


def not_linked(user: SlackUserId, *, by_sign_in: bool) -> Refused:
    """The person is linked to no account; with `by_sign_in` they can link one themselves."""
    headline = "Stanch doesn't know which GitHub account is yours."
    if by_sign_in:
        how = Mrkdwn("Link it by signing in at GitHub.")
        return Refused("not_linked", headline, how, Mrkdwn("Or type `/leaks link`"), offers_link=True)
    return Refused(
        "not_linked",
        headline,
        t.mrkdwn("Ask an operator of Stanch to link {} to your GitHub account.", t.user(user)),
        t.mrkdwn("They do it with {}", t.code(f"stanch identities add {user} YOUR_GITHUB_LOGIN")),
    )


def incomplete_form() -> Refused:
    """A submitted form has missing or invalid fields; the fields are checked again when the job runs."""
    return Refused("bad_form", "The form was not complete.", "Open it again from the card.")


def limit_reached(action: str, most: int, until: UnixTime) -> LimitReached:
    """The person has done this `most` times within an hour; `action` is its word in the audit log."""
    return LimitReached(
        f"You {done_often(action, most)} within an hour, which is the limit here.",
        t.mrkdwn(
            "The next one is possible {}; until then somebody else can do it. The default channel is told.",
            t.date(until),
        ),
        most=most,
        until=until,
    )


def changed_meanwhile(now: str) -> Refused:
    """GitHub's answer was lost, and the alert has changed since: a retry could undo somebody's decision."""
    return Refused(
        "changed_meanwhile",
        "The alert was changed before GitHub's answer came.",
        t.mrkdwn("{} Your change may have been made, and undone by somebody else.", now),
        "Look at the card, and try again if you still want the change.",
    )


def outcome_unknown(why: str) -> Refused:
    """GitHub's answer was lost, and asking GitHub later failed too; `why` is the reason as plain text."""
    return Refused(
        "outcome_unknown",
        "It is not known whether it was done.",
        t.mrkdwn("GitHub's answer was lost, and asking it later did not help: {}.", why),
        "Look at the alert on GitHub. You can do it again from the card: a second time does no harm.",
        quoted=why,
    )


def outsider(reason: str) -> Refused:
    """Guests, bots, deactivated users and people of other organizations; `reason` is the word for the audit log."""
    return Refused(
        reason,
        "You can't use Stanch here.",
        "Guests, bots, deactivated users and people of other organizations can't.",
    )


def shared_channel() -> Refused:
    return Refused(
        "shared_channel",
        "Nothing can be done here: this channel is shared with another organization.",
        "Use a channel that only this workspace can read.",
    )


def bot_not_in_channel() -> Refused:
    """The bot is not in this private channel, so it can't see whether other organizations read it."""
    return Refused(
        "unseen_channel",
        "Stanch is not in this channel, so it can't tell who else reads it.",
        "Invite it with /invite, or ask in a public channel.",
    )


def slack_unreachable() -> Refused:
    return Refused("slack_unreachable", "Slack did not say who you are; try again in a moment.")


def github_unreachable(error: GitHubError) -> Refused:
    """GitHub could not be asked or refused the call: says why, with GitHub's own reason, and when to try again."""
    if _is_refusal(error):
        answered = t.mrkdwn("{} If it happens again, tell an operator of Stanch.", github_answer(error))
        headline = "GitHub refused, so nothing was done."
        return Refused("github_refused", headline, answered, quoted=github_reason(error))
    if isinstance(error, GitHubRateLimited):
        why = t.mrkdwn("Its rate limit is used up until {}.", t.date(error.retry_at))
    elif error.status is not None:
        why = t.mrkdwn("It answered {}. Try again in a few minutes.", error.status)
    else:
        why = Mrkdwn("It does not answer. Try again in a few minutes.")
    return Refused("github_unreachable", "GitHub can't be asked right now, so nothing was done.", why)


def github_answer(error: GitHubError) -> Mrkdwn:
    """GitHub's status and its own reason, as a sentence."""
    reason = github_reason(error)
    if reason:
        return t.mrkdwn("It answered {}: “{}”", error.status or "nothing", reason)
    return t.mrkdwn("It answered {}.", error.status or "nothing")


def github_reason(error: GitHubError) -> str | None:
    """GitHub's own reason if it refused with a 4xx other than a rate limit; else None."""
    return error.detail or None if _is_refusal(error) else None


def _is_refusal(error: GitHubError) -> bool:
    return error.status in range(400, 500) and not isinstance(error, GitHubRateLimited)


def role_unknown() -> Refused:
    """GitHub can't be asked what the person may see, and no answer of the last hour is stored."""
    return Refused(
        "github_unreachable",
        "GitHub can't be asked right now what you may see.",
        "Try again in a few minutes.",
    )


def repository_out_of_reach(repository: Repository) -> Refused:
    """GitHub no longer finds the stored repository under any name."""
    return Refused(
        "unreachable",
        "GitHub no longer gives Stanch access to this repository.",
        t.mrkdwn(
            "{} was removed from the GitHub App's installation, deleted, or moved.",
            t.code(repository.full_name),
        ),
    )


def outdated_control() -> Refused:
    """The control or form is unknown to this version of Stanch."""
    return Refused(
        "outdated_control",
        "This control does nothing any more.",
        Mrkdwn("Stanch was updated after this message was posted. `/leaks help` lists what there is now."),
    )


def form_not_opened() -> Refused:
    """Slack did not open the form: a click can open one for three seconds only."""
    return Refused(
        "form_not_opened", "Slack did not open the form, so nothing was done.", "Click once more in a moment."
    )


def internal_error(incident: str) -> Refused:
    """An error in Stanch itself; `incident` is the short id under which the log has it."""
    return Refused(
        "mistake",
        "Something went wrong in Stanch.",
        t.mrkdwn(
            "Your request may not have been carried out: look at the card before you try again. "
            "If it happens again, tell an operator of Stanch this id: {}",
            t.code(incident),
        ),
    )
