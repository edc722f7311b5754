"""`/leaks subscribe`, `unsubscribe` and `subscriptions`: rights first, then a preview, then the button."""

import pytest
from structlog.testing import capture_logs

from storage.clock import Clock
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage, open_stage
from tests.flows.subscribing import (
    OPEN_CHANNEL,
    TEAM_CHANNEL,
    add_channels,
    invite_guest,
    last_answer,
    press,
    said,
    stored,
    subscribe,
    type_in,
)

pytestmark = pytest.mark.either_database


@pytest.fixture(autouse=True)
def channels(stage: Stage) -> None:
    add_channels(stage)


async def test_a_preview_says_what_the_subscription_would_bring_and_stores_nothing(stage: Stage) -> None:
    for number in range(12):
        await stage.leak(secret_type="stripe_api_key", path=f"{number}.py")
    preview = await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    assert "12 open alerts, about 3 a week" in preview
    assert "repo:octo/payments" in preview
    assert "public channel" not in preview.lower()
    assert await stored(stage) is None
    assert stage.slack.channel_messages(TEAM_CHANNEL) == []


async def test_the_button_stores_it_and_the_channel_is_told_once(stage: Stage) -> None:
    await stage.leak()
    answer = await subscribe(stage, ADMIN, "repo:octo/payments thread=all")
    assert "Subscribed." in answer
    found = await stored(stage)
    assert found is not None
    assert (found.filter, found.thread, found.mention) == ("repo:octo/payments", "all", None)
    assert found.pinned == {"repo:octo/payments": stage.repository.id}
    assert found.author is not None
    assert found.author.github is not None
    assert found.author.github.login == "octo-admin"
    notice, summary = (message.shown_text for message in stage.slack.channel_messages(TEAM_CHANNEL))
    assert notice == ":bell: `octo-admin` subscribed this channel to `repo:octo/payments`."
    assert "from before this channel was subscribed" in summary
    assert await stage.audited("subscribe") == [
        ("done", f"{TEAM_CHANNEL} repo:octo/payments thread=all mention=none")
    ]
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1


async def test_a_button_pressed_twice_has_one_effect(stage: Stage) -> None:
    await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    preview = last_answer(stage, ADMIN)
    for _ in range(2):
        await stage.slack.click(ADMIN, preview.channel, preview.ts, "subscribe", shown=preview)
    await stage.work(within=15)
    assert "Subscribed." in stage.answer_to(ADMIN)
    assert len(said(stage)) == 1
    assert len(await stage.audited("subscribe")) == 1


@pytest.mark.parametrize("user", [OWNER, MANAGER])
async def test_who_sees_every_account_may_subscribe_to_everything(stage: Stage, user: str) -> None:
    await subscribe(stage, user, "")
    found = await stored(stage)
    assert found is not None
    assert found.filter == ""
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    assert stage.slack.cards(CHANNEL) == []


@pytest.mark.parametrize(
    "words", ["", "org:octo", "-repo:octo/web", "secret-type:stripe_api_key", "org:octo -bypassed:true"]
)
async def test_a_filter_for_repositories_of_later_takes_an_owner_or_security_manager(
    stage: Stage, words: str
) -> None:
    await stage.leak()
    answer = await type_in(stage, ADMIN, f"subscribe {words}")
    assert "covers more than you may see" in answer
    assert "open alert" not in answer
    assert last_answer(stage, ADMIN).action_ids == []
    assert ("refused", f"{TEAM_CHANNEL}: needs_reviewer") in await stage.audited("subscribe")


async def test_the_owner_of_one_of_two_accounts_may_not_subscribe_to_everything(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, github_accounts="octo,labs") as stage:
        add_channels(stage)
        labs = stage.github.add_organization("labs")
        stage.github.install(labs)
        await stage.work(within=20)
        hidden = stage.github.add_repository(labs, "hidden")
        await stage.leak(hidden)
        await stage.leak()
        for words in ("", "-org:other", "org:labs", "org:nobody", "bypassed:false"):
            assert "covers more than you may see" in await type_in(stage, OWNER, f"subscribe {words}"), words
        for words in ("org:octo", "-org:labs"):
            assert "1 open alert" in await type_in(stage, OWNER, f"subscribe {words}"), words
        assert "or it is not yours to see" in await type_in(stage, OWNER, "subscribe repo:labs/hidden")
        assert "hidden" not in stage.answer_to(OWNER).replace("There is no labs/hidden", "")


@pytest.mark.parametrize("name", ["octo/vault", "octo/nothing", "stranger/thing"])
async def test_unknown_and_not_yours_read_the_same(stage: Stage, name: str) -> None:
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    await stage.leak(vault)
    await stage.leak()
    answer = await type_in(stage, ADMIN, f"subscribe repo:octo/payments,{name}")
    assert answer.replace(name, "NAME") == (
        ":no_entry: That filter names a repository that you can't subscribe to.\n"
        "There is no NAME, or it is not yours to see.\n"
        "Repositories that don't exist yet take an owner or a security manager of every organization.\n"
        "Wrong account? /leaks whoami shows which one you are here."
    )


async def test_similar_names_come_only_from_repositories_that_the_person_may_view(stage: Stage) -> None:
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    await stage.leak(vault)
    await stage.leak()
    mistyped = "subscribe repo:octo/vaul"
    assert "Did you mean" not in await type_in(stage, ADMIN, mistyped)
    assert "octo/vault" not in stage.answer_to(ADMIN)
    assert "Did you mean repo:octo/payments?" in await type_in(stage, ADMIN, "subscribe repo:octo/paymets")
    assert "Did you mean repo:octo/vault?" in await type_in(stage, OWNER, mistyped)
    assert "0 open alerts" in stage.answer_to(OWNER)


async def test_a_repository_without_alerts_can_be_subscribed(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    assert (await stored(stage)) is not None
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1


async def test_a_renamed_repository_stays_covered_and_a_stranger_under_its_name_gets_nothing(
    stage: Stage,
) -> None:
    await stage.leak()
    await subscribe(stage, ADMIN, "repo:octo/payments")
    stage.github.rename_repository(stage.repository, "billing")
    await stage.work(within=10)
    stranger = stage.github.add_repository(stage.github.app_owner, "payments")
    await stage.leak()
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    await stage.leak(stranger)
    assert len(stage.slack.cards(TEAM_CHANNEL)) == 1
    assert "repo:octo/billing" in await type_in(stage, ADMIN, "subscriptions")


async def test_what_a_filter_leaves_out_stays_out_after_a_rename(stage: Stage) -> None:
    await subscribe(stage, OWNER, "org:octo -repo:octo/payments")
    stage.github.rename_repository(stage.repository, "billing")
    await stage.work(within=10)
    await stage.leak()
    assert stage.slack.cards(TEAM_CHANNEL) == []


async def test_a_public_channel_takes_an_owner_and_the_preview_says_so(stage: Stage) -> None:
    await stage.leak()
    answer = await type_in(stage, ADMIN, "subscribe repo:octo/payments", OPEN_CHANNEL)
    assert "This is a public channel" in answer
    assert "1 open alert" not in answer
    assert ("refused", f"{OPEN_CHANNEL}: public_channel") in await stage.audited("subscribe")
    assert "This is a public channel" in await type_in(
        stage, MANAGER, "subscribe repo:octo/payments", OPEN_CHANNEL
    )
    assert "Subscribed." in await press(stage, MANAGER, "subscribe")


async def test_a_channel_with_a_guest_takes_an_owner_and_the_preview_says_so(stage: Stage) -> None:
    invite_guest(stage, TEAM_CHANNEL)
    answer = await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    assert "There are guests in this channel: 1 guest." in answer
    assert "1 guest can read these alerts" in await type_in(stage, OWNER, "subscribe repo:octo/payments")


async def test_a_guest_who_joins_after_the_preview_is_seen_at_the_button(stage: Stage) -> None:
    await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    invite_guest(stage, TEAM_CHANNEL)
    assert "There are guests in this channel" in await press(stage, ADMIN, "subscribe")
    assert await stored(stage) is None
    await type_in(stage, OWNER, "subscribe repo:octo/payments")
    stage.slack.workspace.change_channel(TEAM_CHANNEL, private=False)
    assert "look again" in await press(stage, OWNER, "subscribe")
    assert await stored(stage) is None
    assert "Subscribed." in await press(stage, OWNER, "subscribe")


async def test_a_role_that_is_lost_after_the_preview_is_seen_at_the_button(stage: Stage) -> None:
    await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    assert "or it is not yours to see" in await press(stage, ADMIN, "subscribe")
    assert await stored(stage) is None


async def test_a_large_channel_counts_as_one_with_guests(stage: Stage) -> None:
    crowd = [f"U0MANY{number}" for number in range(101)]
    for user in crowd:
        stage.slack.workspace.add_user(user)
    members = stage.slack.workspace.channels[TEAM_CHANNEL].members | set(crowd)
    stage.slack.workspace.change_channel(TEAM_CHANNEL, members=members)
    assert "too large" in await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    assert "too large" in await type_in(stage, OWNER, "subscribe repo:octo/payments")
    assert last_answer(stage, OWNER).action_ids == ["subscribe"]


async def test_the_filter_of_the_security_channel_can_t_be_replaced_by_a_repository_admin(
    stage: Stage,
) -> None:
    """Nor is the former filter shown to them."""
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    await stage.leak(vault)
    await subscribe(stage, OWNER, "repo:octo/payments,octo/vault")
    for text in ("subscribe repo:octo/payments", "unsubscribe"):
        answer = await type_in(stage, ADMIN, text)
        assert "subscribed to alerts that you may not see all of" in answer
        assert "vault" not in answer
        assert last_answer(stage, ADMIN).action_ids == []
    found = await stored(stage)
    assert found is not None
    assert found.filter == "repo:octo/payments,octo/vault"
    assert ("refused", f"{TEAM_CHANNEL}: former_subscription") in await stage.audited("unsubscribe")


async def test_an_owner_replaces_a_filter_and_the_channel_is_told_both(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments mention=S0SEC thread=all")
    assert "Instead of: repo:octo/payments" in await type_in(stage, OWNER, "subscribe org:octo")
    await press(stage, OWNER, "subscribe")
    found = await stored(stage)
    assert found is not None
    assert (found.filter, found.thread, found.mention) == ("org:octo", "all", "S0SEC")
    assert said(stage)[-1] == (
        ":bell: `octo-owner` subscribed this channel to `org:octo`. Before: `repo:octo/payments`."
    )


async def test_a_subscription_that_changed_after_the_preview_is_shown_again(stage: Stage) -> None:
    await type_in(stage, ADMIN, "subscribe repo:octo/payments")
    await subscribe(stage, OWNER, "repo:octo/payments thread=none")
    assert "look again" in await press(stage, ADMIN, "subscribe")
    found = await stored(stage)
    assert found is not None
    assert found.thread == "none"


@pytest.mark.parametrize("change", ["direct", "shared", "pending", "archived", "without_bot"])
async def test_where_nothing_can_be_subscribed(stage: Stage, change: str) -> None:
    channel = TEAM_CHANNEL
    workspace = stage.slack.workspace
    if change == "direct":
        channel = workspace.dm(OWNER).id
    elif change == "archived":
        workspace.change_channel(channel, is_archived=True)
    elif change == "without_bot":
        channel = OPEN_CHANNEL
        members = workspace.channels[channel].members - {workspace.app.bot_user_id}
        workspace.change_channel(channel, members=members)
    else:
        workspace.change_channel(channel, is_ext_shared=change == "shared", is_pending_ext_shared=True)
    words = {
        "direct": "A direct message can't be subscribed.",
        "archived": "This channel is archived.",
        "without_bot": "Stanch is not in this channel.",
    }
    answer = await type_in(stage, OWNER, "subscribe", channel)
    assert words.get(change, "shared with another organization") in answer


@pytest.mark.parametrize(
    ("method", "code", "words"),
    [
        ("conversations.info", "channel_not_found", "Stanch is not in this channel, so"),
        ("conversations.info", "missing_scope", "Stanch is not in this channel, so"),
        ("usergroups.list", "internal_error", "Slack did not answer about the user group"),
    ],
)
async def test_nothing_is_subscribed_while_slack_does_not_show_the_channel_or_the_group(
    stage: Stage, method: str, code: str, words: str
) -> None:
    stage.slack.fail(method, code, times=None)
    assert words in await type_in(stage, OWNER, "subscribe repo:octo/payments mention=@security")
    assert await stored(stage) is None


@pytest.mark.parametrize("user", [READER, UNLINKED])
async def test_who_may_view_nothing_learns_nothing(stage: Stage, user: str) -> None:
    await stage.leak()
    await subscribe(stage, OWNER, "repo:octo/payments")
    for text in ("subscribe repo:octo/payments", "subscribe", "unsubscribe", "subscriptions"):
        answer = await type_in(stage, user, text)
        assert "open alert" not in answer
        assert "repo:octo/payments" not in answer
        assert last_answer(stage, user).action_ids == []


async def test_nothing_is_subscribed_while_github_does_not_answer(stage: Stage) -> None:
    stage.github.faults.add(".*", times=None, status=503)
    assert "GitHub can't be asked right now" in await type_in(stage, OWNER, "subscribe")
    assert last_answer(stage, OWNER).action_ids == []


async def test_a_list_without_github_s_answer_says_that_it_lacks_some(stage: Stage) -> None:
    await subscribe(stage, OWNER, "repo:octo/payments")
    stage.github.faults.add(".*", times=None, status=503)
    with capture_logs() as lines:
        assert "Some could not be checked with GitHub now." in await type_in(stage, OWNER, "subscriptions")
    [line] = [line for line in lines if line["event"] == "github_not_asked"]
    assert line["channel"] == TEAM_CHANNEL
    assert "503" in line["reason"]


async def test_a_channel_is_unsubscribed_after_a_question(stage: Stage) -> None:
    await subscribe(stage, ADMIN, "repo:octo/payments")
    assert "would no longer get: repo:octo/payments" in await type_in(stage, ADMIN, "unsubscribe")
    assert await stored(stage) is not None
    assert "Unsubscribed." in await press(stage, ADMIN, "unsubscribe")
    assert await stored(stage) is None
    assert said(stage)[-1] == ":no_bell: `octo-admin` unsubscribed this channel from `repo:octo/payments`."
    assert await stage.audited("unsubscribe") == [("done", f"{TEAM_CHANNEL} repo:octo/payments")]
    assert "has no subscription" in await type_in(stage, ADMIN, "unsubscribe")
    await stage.leak()
    assert len(stage.slack.cards(CHANNEL)) == 1


async def test_the_list_shows_only_what_the_person_may_view(stage: Stage) -> None:
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    await stage.leak(vault)
    await subscribe(stage, ADMIN, "repo:octo/payments")
    await subscribe(stage, OWNER, "repo:octo/vault thread=all mention=S0SEC", OPEN_CHANNEL)
    listed = await type_in(stage, ADMIN, "subscriptions")
    assert "1 subscription that you may see" in listed
    assert "repo:octo/payments" in listed
    assert "vault" not in listed
    listed = await type_in(stage, OWNER, "subscriptions")
    assert "2 subscriptions that you may see" in listed
    assert "repo:octo/vault" in listed
    assert "mentions S0SEC" in listed
    assert "No subscription that you may see." in await type_in(stage, READER, "subscriptions")


async def test_a_filter_that_is_too_long_is_refused_and_not_cut(stage: Stage) -> None:
    """A cut one would leave out less than was meant."""
    left_out = ",".join(f"octo/repository-{number}" for number in range(100))
    assert "too long" in await type_in(stage, OWNER, f"subscribe org:octo -repo:{left_out}")
    named = ",".join(f"octo/repository-{number}" for number in range(21))
    assert "may name at most 20" in await type_in(stage, OWNER, f"subscribe repo:{named}")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("thred=all", "Did you mean thread=?"),
        ("thread=al", "Did you mean thread=all?"),
        ("thread:all", "write thread=all"),
        ("repo=octo/payments", "Did you mean repo:octo/payments?"),
        ("reppo:octo/payments", "Did you mean repo:?"),
        ("is:open", "can't choose a channel's alerts"),
        ("mention=@here", "would notify everybody"),
        ("mention=security", "write mention=@security"),
        ("thread=all thread=none", "given twice"),
    ],
)
async def test_a_mistyped_word_gets_the_nearest_one(stage: Stage, typed: str, meant: str) -> None:
    answer = await type_in(stage, OWNER, f"subscribe {typed}")
    assert meant in answer
    assert await stage.audited("subscribe") == []
