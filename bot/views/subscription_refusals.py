"""Why a channel can't be subscribed, or its subscription not be changed."""

from collections.abc import Sequence

from bot.errors import Refused
from bot.rules.filters import BadFilter
from bot.rules.masking import mask
from bot.rules.subscription_words import USAGE
from bot.views.formatting import counted
from bot.views.refusals import WHOAMI
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Audience

NAMED = 5
"""How many names a refusal lists."""
REVIEWERS = Mrkdwn("An organization owner or a security manager can do it.")


def bad_words(error: BadFilter) -> Refused:
    """The filter or an option can't be understood."""
    # The error quotes the typed text in backticks, which are the only markup in it.
    detail = t.escape(str(error), 1_000)
    hint = t.mrkdwn("It is written as {}", t.code(f"/leaks subscribe {USAGE}"))
    return Refused("bad_filter", "That subscription can't be understood.", detail, hint)


def no_channel() -> Refused:
    return Refused(
        "direct_message",
        "A direct message can't be subscribed.",
        "Type the command in the channel that is to get the alerts.",
    )


def slack_silent(about: str) -> Refused:
    """Slack did not answer about the channel or the user group."""
    return Refused("slack_unreachable", f"Slack did not answer about {about}; try again in a moment.")


def archived_channel() -> Refused:
    return Refused("archived_channel", "This channel is archived.", "Unarchive it, or use another one.")


def bot_not_invited() -> Refused:
    return Refused(
        "unseen_channel", "Stanch is not in this channel.", Mrkdwn("Invite it with `/invite`, and try again.")
    )


def too_many_names(most: int) -> Refused:
    return Refused(
        "too_many_names",
        f"A filter may name at most {most} repositories here.",
        Mrkdwn("Name their organization instead: `org:NAME`."),
    )


def names_not_visible(names: Sequence[str], similar: Sequence[str]) -> Refused:
    """Repositories that do not exist, or that the person may not view: both read the same.

    `similar` are repositories that the person may view.
    """
    shown = t.join(t.code(mask(name)) for name in names[:NAMED])
    more = t.mrkdwn(" and {} more", len(names) - NAMED) if len(names) > NAMED else Mrkdwn("")
    what = t.mrkdwn("There is no {}{}, or it is not yours to see.", shown, more)
    meant = (
        t.mrkdwn("Did you mean {}?", t.join(t.code(f"repo:{name}") for name in similar)) if similar else None
    )
    later = Mrkdwn(
        "Repositories that don't exist yet take an owner or a security manager of every organization."
    )
    return Refused(
        "no_such_repository",
        "That filter names a repository that you can't subscribe to.",
        t.lines(what, meant, later),
        WHOAMI,
    )


def needs_reviewer() -> Refused:
    """The filter can match repositories other than those that it names."""
    return Refused(
        "needs_reviewer",
        "That filter covers more than you may see.",
        t.lines(
            "It can match every repository, also future ones, so it takes an owner or a security manager of each "
            "organization that it covers.",
            Mrkdwn("Name repositories whose alerts you may see: `repo:OWNER/NAME`."),
        ),
        WHOAMI,
    )


def needs_reviewer_here(audience: Audience) -> Refused:
    """More people can read the channel than its ordinary members."""
    if audience.is_public:
        reason, why = "public_channel", "This is a public channel: everybody in the workspace can read it."
    elif audience.guests is None:
        reason, why = "large_channel", "This channel is too large to see whether there are guests in it."
    else:
        reason, why = "guests", f"There are guests in this channel: {counted(len(audience.guests), 'guest')}."
    return Refused(
        reason,
        why,
        t.lines(
            "So it takes an owner or a security manager of each organization that the filter covers.",
            "Or use a private channel without guests.",
        ),
        WHOAMI,
    )


def former_not_yours() -> Refused:
    """The channel has a subscription that covers more than the person may view; it is not shown to them."""
    return Refused(
        "former_subscription",
        "This channel is subscribed to alerts that you may not see all of.",
        t.lines("So you can't change its subscription.", REVIEWERS),
        WHOAMI,
    )


def not_subscribed() -> Refused:
    return Refused(
        "not_subscribed", "This channel has no subscription.", Mrkdwn("`/leaks subscribe FILTER` makes one.")
    )


def no_user_group(handle: str) -> Refused:
    return Refused(
        "no_user_group", "There is no such user group.", t.mrkdwn("Slack knows no {}.", t.code(handle))
    )


def handles_not_readable() -> Refused:
    """The app lacks the optional scope."""
    return Refused(
        "no_usergroups_scope",
        "Stanch can't look up user groups here.",
        t.lines(
            Mrkdwn("Write the group's id, such as `mention=S012AB3CD`: it is in the group's menu in Slack."),
            Mrkdwn("Or an operator of Stanch gives the Slack app the scope `usergroups:read`."),
        ),
    )
