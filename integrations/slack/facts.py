"""Records of the bot, people, channels and views, read leniently from Slack's responses."""

from dataclasses import dataclass, field

from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class BotFacts:
    """The owner of the bot token."""

    team_id: str
    enterprise_id: str | None
    bot_id: str
    user_id: str
    url: str
    """The workspace's web address."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A Slack user, with the facts that tell whether they belong to our workspace.

    Slack has no flag for "external": by its docs, `is_stranger` being false only means that we share a channel with
    them. So compare the home team, and on Enterprise Grid the organization.
    """

    id: str
    name: str
    team_id: str
    """Their home team; empty where it is missing."""
    enterprise_id: str | None
    is_deleted: bool
    is_bot: bool
    """A bot of an app, a workflow or a connector, or Slackbot."""
    is_guest: bool
    """A single-channel or multi-channel guest."""
    is_invited: bool
    """Invited, but not joined yet."""
    is_stranger: bool
    confirmed_email: str = field(default="", repr=False)
    """Their e-mail address, if Slack tells it (scope `users:read.email`) and calls it confirmed; else empty."""


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A Slack user in the list of all, with their address."""

    facts: PersonFacts
    address: str | None = field(repr=False)
    is_confirmed: bool
    """Slack calls the address confirmed; False where it says nothing."""


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel, with the facts that decide whether alerts may be shown in it."""

    id: str
    name: str
    is_archived: bool
    is_shared_outside: bool
    """Shared with another organization, or a share is pending."""
    is_public: bool = True
    """Everybody in the workspace can read it; also where Slack does not say that it is private."""
    is_direct: bool = False
    """A direct message, of two people or of several."""
    is_member: bool = True
    """The bot is in it."""


@dataclass(frozen=True, slots=True)
class UserGroupFacts:
    """A user group of the workspace."""

    id: str
    handle: str
    """Without `@`."""


@dataclass(frozen=True, slots=True)
class ViewRef:
    """The id and state of an open modal, for updates."""

    id: str
    hash: str
    """Of the current state; Slack refuses an update with an older one."""


def parse_bot(raw: JsonObject) -> BotFacts:
    """Read the response of auth.test."""
    return BotFacts(
        team_id=text(raw, "team_id"),
        enterprise_id=text(raw, "enterprise_id") or None,
        bot_id=text(raw, "bot_id"),
        user_id=text(raw, "user_id"),
        url=text(raw, "url"),
    )


def parse_person(raw: JsonObject) -> PersonFacts:
    """Read the response of users.info."""
    user, enterprise = member(raw, "user"), member(member(raw, "user"), "enterprise_user")
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
        confirmed_email=text(profile, "email") if user.get("is_email_confirmed") is True else "",
    )


def parse_people(raw: JsonObject) -> tuple[tuple[ListedPerson, ...], str]:
    """Read a page of users.list: the users, and the next page's cursor, empty on the last page."""
    users = (user for user in items(raw, "members") if isinstance(user, dict) and text(user, "id"))
    found = tuple(
        ListedPerson(
            parse_person({"user": user}),
            text(member(user, "profile"), "email") or None,
            user.get("is_email_confirmed") is True,
        )
        for user in users
    )
    return found, text(member(raw, "response_metadata"), "next_cursor")


def parse_channel(raw: JsonObject) -> ChannelFacts:
    """Read the response of conversations.info.

    Slack's docs: `is_shared` is true for channels shared with another organization and for those shared inside one.
    For the latter `is_org_shared` is true as well.
    """
    channel = member(raw, "channel")
    outside = ("is_ext_shared", "is_pending_ext_shared")
    others = ("pending_shared", "pending_connected_team_ids", "connected_team_ids")
    return ChannelFacts(
        id=text(channel, "id"),
        name=text(channel, "name"),
        is_archived=bool(channel.get("is_archived")),
        is_shared_outside=any(channel.get(key) for key in (*outside, *others))
        or bool(channel.get("is_shared") and not channel.get("is_org_shared")),
        is_public=channel.get("is_private") is not True,
        is_direct=bool(channel.get("is_im") or channel.get("is_mpim")),
        is_member=channel.get("is_member") is not False,
    )


def parse_members(raw: JsonObject) -> tuple[tuple[str, ...], str]:
    """Read a page of conversations.members: the users' ids, and the next page's cursor, empty on the last page."""
    found = tuple(user for user in items(raw, "members") if isinstance(user, str))
    return found, text(member(raw, "response_metadata"), "next_cursor")


def parse_user_groups(raw: JsonObject) -> tuple[UserGroupFacts, ...]:
    """Read the response of usergroups.list, which has no deactivated groups."""
    found = (group for group in items(raw, "usergroups") if isinstance(group, dict))
    return tuple(UserGroupFacts(text(group, "id"), text(group, "handle")) for group in found)


def parse_view(raw: JsonObject) -> ViewRef:
    """Read the response of views.open or views.update."""
    view = member(raw, "view")
    return ViewRef(text(view, "id"), text(view, "hash"))


def text(raw: JsonObject, key: str) -> str:
    """The string under `key`; empty where there is none."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def member(raw: JsonObject, key: str) -> JsonObject:
    """The object under `key`; empty where there is none."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def items(raw: JsonObject, key: str) -> list[object]:
    """The array under `key`; empty where there is none."""
    value = raw.get(key)
    return value if isinstance(value, list) else []
