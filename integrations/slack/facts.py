"""What Slack says about itself, people, channels and views, read leniently into small records."""

from dataclasses import dataclass

from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class BotFacts:
    """Who the bot token belongs to."""

    team_id: str
    enterprise_id: str | None
    bot_id: str
    user_id: str
    url: str
    """The workspace's address."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A Slack user, with all that tells our own people from everybody else.

    There is no single flag for "external": Slack's docs say that `is_stranger` being false only means that a
    channel is shared with them. The home team is the answer, and on Enterprise Grid the organization.
    """

    id: str
    name: str
    team_id: str
    """Their home; empty where Slack does not say."""
    enterprise_id: str | None
    is_deleted: bool
    is_bot: bool
    """Any kind of bot: of an app, a workflow or a connector, and Slackbot."""
    is_guest: bool
    """Of one channel or several."""
    is_invited: bool
    """Invited, and not here yet."""
    is_stranger: bool


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel, with what decides whether alerts may be shown in it."""

    id: str
    name: str
    is_archived: bool
    is_shared_outside: bool
    """People of another organization are in it, or are about to be."""


@dataclass(frozen=True, slots=True)
class ViewRef:
    """An open modal, as a later update names it."""

    id: str
    hash: str
    """Of its present state; an update that names an older one is refused."""


def parse_bot(answer: JsonObject) -> BotFacts:
    """Read the answer of auth.test."""
    return BotFacts(
        team_id=text(answer, "team_id"),
        enterprise_id=text(answer, "enterprise_id") or None,
        bot_id=text(answer, "bot_id"),
        user_id=text(answer, "user_id"),
        url=text(answer, "url"),
    )


def parse_person(answer: JsonObject) -> PersonFacts:
    """Read the answer of users.info."""
    user, enterprise = member(answer, "user"), member(member(answer, "user"), "enterprise_user")
    profile = member(user, "profile")
    user_id = text(user, "id")
    names = (text(profile, "display_name"), text(profile, "real_name"), text(user, "name"))
    bots = ("is_bot", "is_workflow_bot", "is_connector_bot")
    return PersonFacts(
        id=user_id,
        name=next((name for name in names if name), user_id),
        team_id=text(user, "team_id"),
        enterprise_id=text(enterprise, "enterprise_id") or None,
        is_deleted=bool(user.get("deleted")),
        is_bot=any(user.get(flag) for flag in bots) or user_id == "USLACKBOT",
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_invited=bool(user.get("is_invited_user")),
        is_stranger=bool(user.get("is_stranger")),
    )


def parse_channel(answer: JsonObject) -> ChannelFacts:
    """Read the answer of conversations.info.

    Slack's docs: `is_shared` is true both for channels shared with another organization and for those shared
    inside one, where `is_org_shared` is true as well.
    """
    channel = member(answer, "channel")
    outside = ("is_ext_shared", "is_pending_ext_shared")
    others = ("pending_shared", "pending_connected_team_ids", "connected_team_ids")
    return ChannelFacts(
        id=text(channel, "id"),
        name=text(channel, "name"),
        is_archived=bool(channel.get("is_archived")),
        is_shared_outside=any(channel.get(key) for key in (*outside, *others))
        or bool(channel.get("is_shared") and not channel.get("is_org_shared")),
    )


def parse_view(answer: JsonObject) -> ViewRef:
    """Read the answer of views.open and views.update."""
    view = member(answer, "view")
    return ViewRef(text(view, "id"), text(view, "hash"))


def text(answer: JsonObject, key: str) -> str:
    """The string under `key`; empty where there is none."""
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def member(answer: JsonObject, key: str) -> JsonObject:
    """The object under `key`; empty where there is none."""
    value = answer.get(key)
    return value if isinstance(value, dict) else {}


def items(answer: JsonObject, key: str) -> list[object]:
    """The array under `key`; empty where there is none."""
    value = answer.get(key)
    return value if isinstance(value, list) else []
