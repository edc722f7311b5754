"""What people do with cards in these parts, noted so that the checks at the end know what was accepted."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from integrations.sandbox.slack import DeliveryResult, SlackMessage, View
from tests.chaos.random_events import Notes, Submitted
from tests.processes.scene import ANY_ALERT, CHANNEL, Scene, alert_of

REVOKE = "/credentials/revoke"
CONSENT = {"consequence": {"understood": ["yes"]}}


async def open_close_form(scene: Scene, user: str, card: SlackMessage) -> View:
    """Pick a reason in the card's menu, and wait for the filled form."""
    await scene.slack.select(user, card.channel, card.ts, "close_as", "revoked")
    return await scene.filled(user, "resolution")


async def submit(
    scene: Scene, notes: Notes, user: str, card: SlackMessage, action: str, view: View, values: dict[str, Any]
) -> DeliveryResult:
    """Submit a form, and note it if it was acknowledged."""
    result = await scene.slack.submit(user, view.id, values)
    if result.status == 200 and result.error is None:
        notes.submitted.append(Submitted(user, action, *alert_of(card)))
    return result


async def close(scene: Scene, notes: Notes, user: str, card: SlackMessage) -> None:
    """Close the card's alert as revoked; AssertionError unless the submit is acknowledged."""
    view = await open_close_form(scene, user, card)
    result = await submit(scene, notes, user, card, "close_alert", view, {"comment": {"comment": "Rotated."}})
    assert (result.status, result.error) == (200, None), f"a submit is not acknowledged: {result.error}"


async def report(scene: Scene, notes: Notes, user: str, card: SlackMessage) -> None:
    """Report the card's token to GitHub; AssertionError unless the submit is acknowledged."""
    await scene.slack.click(user, card.channel, card.ts, "report_leak")
    view = await scene.filled(user, "understood")
    result = await submit(scene, notes, user, card, "report_leak", view, CONSENT)
    assert (result.status, result.error) == (200, None), f"a submit is not acknowledged: {result.error}"


def is_told(card: SlackMessage, words: str) -> bool:
    """Whether the card shows these words."""
    return words in card.shown_text


def present(scene: Scene, card: SlackMessage) -> SlackMessage:
    """The card as it is now; AssertionError if it is gone."""
    found = scene.slack.message(CHANNEL, card.ts)
    assert found is not None, f"the card {card.ts} is gone"
    return found


def repeated_calls(scene: Scene) -> Iterator[str]:
    """A sentence for each alert that was closed, and each token that was reported, by more than one call."""
    closes = Counter(call.path for call in scene.github.calls("PATCH", ANY_ALERT) if closes_alert(call.body))
    yield from (f"{path} was closed {number} times" for path, number in closes.items() if number > 1)
    reports = Counter(str(call.body) for call in scene.github.calls("POST", REVOKE))
    yield from (f"a token was reported {number} times" for number in reports.values() if number > 1)


def closes_alert(body: object) -> bool:
    """Whether the body of a PATCH of an alert closes it, rather than assigning it or writing its validity."""
    return isinstance(body, dict) and body.get("state") == "resolved"
