"""Webhooks: signature, GitHub's schemas, one attempt each, and redelivery on request."""

import hashlib
import hmac

import pytest

from integrations.sandbox.github.openapi import AnswerMismatch
from integrations.sandbox.github.webhooks import check_payload
from tests.integrations.sandbox.github.conftest import Receiver, Scene


async def change_everything(scene: Scene) -> None:
    """Cause every event that the stand-in can send."""
    github, octo, payments = scene.github, scene.octo, scene.payments
    token = github.add_live_token(owner=scene.ana)
    alert = github.leak(payments, token=token, bypassed_by=scene.ana, author=scene.ana)
    github.leak(payments, secret_type="rsa_private_key")
    github.set_validity(alert, "active")
    github.set_public_leak(alert)
    github.assign(alert, scene.ana, by=scene.ana)
    github.unassign(alert)
    github.add_metadata(alert, {"owner_name": "ana"})
    github.remove_metadata(alert, "owner_name")
    github.add_location(alert, "issue_comment", number=7)
    github.close(alert, scene.ana, "revoked", "rotated")
    github.reopen(alert, scene.ana)
    github.close(alert, None, "pattern_deleted")
    rae = github.add_user("rae")
    github.add_member(octo, rae)
    team = github.add_team(octo, "Security", scene.ana)
    github.add_to_team(team, rae)
    github.add_team_to_repository(team, payments, "write")
    github.remove_from_team(team, rae)
    github.delete_team(team)
    github.add_collaborator(payments, rae, "read")
    github.add_collaborator(payments, rae, "maintain")
    github.remove_collaborator(payments, rae)
    github.remove_member(octo, rae)
    other = github.add_repository(octo, "other")
    github.rename_repository(payments, "billing")
    github.set_visibility(payments, "public")
    github.set_visibility(payments, "private")
    github.archive_repository(payments)
    github.unarchive_repository(payments)
    bob = github.add_user("bob")
    notes = github.add_repository(bob, "notes")
    github.transfer_repository(notes, octo)
    github.delete_repository(other)
    github.remove_from_installation(scene.installation, notes)
    github.add_to_installation(scene.installation, notes)
    github.suspend(scene.installation, by=scene.ana)
    github.unsuspend(scene.installation)
    github.set_permissions(scene.installation, {"metadata": "read", "secret_scanning_alerts": "read"})
    github.uninstall(scene.installation)
    github.install(octo)


ALL_EVENTS = {
    *(
        f"secret_scanning_alert.{action}"
        for action in (
            "created",
            "resolved",
            "reopened",
            "validated",
            "publicly_leaked",
            "assigned",
            "unassigned",
            "metadata_created",
            "metadata_removed",
        )
    ),
    "secret_scanning_alert_location.created",
    *(
        f"installation.{action}"
        for action in ("created", "deleted", "suspend", "unsuspend", "new_permissions_accepted")
    ),
    *(f"installation_repositories.{action}" for action in ("added", "removed")),
    *(
        f"repository.{action}"
        for action in (
            "created",
            "deleted",
            "renamed",
            "transferred",
            "publicized",
            "privatized",
            "archived",
            "unarchived",
        )
    ),
    *(f"member.{action}" for action in ("added", "edited", "removed")),
    *(f"membership.{action}" for action in ("added", "removed")),
    *(f"organization.{action}" for action in ("member_added", "member_removed")),
    *(f"team.{action}" for action in ("created", "deleted", "added_to_repository")),
}


async def test_every_event_is_valid_by_githubs_schema_and_holds_no_literal(
    scene: Scene, receiver: Receiver
) -> None:
    scene.github.webhook_url = receiver.url
    await change_everything(scene)
    await scene.github.settle()

    sent = {f"{each.event}.{each.action}" for each in scene.github.deliveries}
    assert sent == ALL_EVENTS
    for event, payload in zip(receiver.headers, receiver.payloads, strict=True):
        check_payload(event["X-GitHub-Event"], payload["action"], payload)
    everything = b"".join(receiver.bodies).decode()
    assert not [each for each in scene.github.alerts.values() if each.literal in everything]


async def test_a_payload_that_breaks_the_schema_is_not_sent() -> None:
    with pytest.raises(AnswerMismatch, match="breaks required"):
        check_payload("secret_scanning_alert", "created", {"action": "created"})


async def test_a_delivery_is_signed_over_its_bytes(scene: Scene, receiver: Receiver) -> None:
    scene.github.webhook_url = receiver.url
    scene.github.leak(scene.payments)
    await scene.github.settle()

    headers, body = receiver.headers[0], receiver.bodies[0]
    digest = hmac.new(scene.github.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert headers["X-GitHub-Event"] == "secret_scanning_alert"
    assert headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-GitHub-Delivery"] == scene.github.deliveries[0].guid


async def test_the_signature_is_githubs(scene: Scene) -> None:
    """The secret, body and digest are test values from GitHub's docs."""
    scene.github.webhook_secret = "It's a Secret to Everybody"
    scene.github.deliver = "hold"
    scene.github.leak(scene.payments)

    headers = scene.github.headers(scene.github.held[0], b"Hello, World!")

    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"


async def test_an_update_over_rest_sends_a_webhook_with_the_app_as_sender(
    scene: Scene, receiver: Receiver
) -> None:
    scene.github.leak(scene.payments)
    scene.github.webhook_url = receiver.url
    token = await scene.caller.token(scene.installation)
    body = {"state": "resolved", "resolution": "revoked", "assignee": "ana"}
    await scene.caller.call("PATCH", f"{scene.alerts_path}/1", token, body=body)
    await scene.github.settle()

    assert [each["action"] for each in receiver.payloads] == ["resolved", "assigned"]
    assert receiver.payloads[0]["sender"]["login"] == "stanch[bot]"
    assert receiver.payloads[0]["sender"]["type"] == "Bot"
    assert "state" not in receiver.payloads[0]["alert"]


async def test_held_deliveries_can_be_sent_late_twice_and_in_any_order(
    scene: Scene, receiver: Receiver
) -> None:
    scene.github.webhook_url = receiver.url
    scene.github.deliver = "hold"
    alert = scene.github.leak(scene.payments)
    scene.github.close(alert, scene.ana, "revoked")
    created, resolved = scene.github.held

    statuses = [await scene.github.send(each) for each in (resolved, created, created, created.sparse())]

    assert statuses == [202] * 4
    assert [each["action"] for each in receiver.payloads] == ["resolved", "created", "created", "created"]
    guids = [each["X-GitHub-Delivery"] for each in receiver.headers]
    assert guids == [resolved.guid, created.guid, created.guid, created.guid]
    assert len(receiver.payloads[3]["alert"]) == 5
    assert len({each.id for each in scene.github.deliveries}) == 4


async def test_events_need_installation_subscription_and_permission(scene: Scene, receiver: Receiver) -> None:
    scene.github.webhook_url = receiver.url
    stranger = scene.github.add_organization("stranger")
    theirs = scene.github.add_repository(stranger, "theirs")
    scene.github.leak(theirs)
    scene.installation.events.remove("repository")
    scene.github.rename_repository(scene.payments, "billing")
    del scene.installation.permissions["members"]
    scene.github.add_member(scene.octo, scene.github.add_user("rae"))
    await scene.github.settle()
    nothing = list(receiver.bodies)
    scene.github.install(stranger)
    scene.github.leak(theirs)
    await scene.github.settle()

    assert nothing == []
    assert [each["installation"]["id"] for each in receiver.payloads] == [
        each["installation"]["id"] for each in receiver.payloads[:1]
    ] * 2


async def test_a_failed_delivery_is_listed_and_redelivered_only_on_request(
    scene: Scene, receiver: Receiver
) -> None:
    scene.github.webhook_url = receiver.url
    receiver.status = 503
    scene.github.leak(scene.payments)
    await scene.github.settle()
    app = scene.caller.app_jwt()
    failed = (await scene.caller.call("GET", "/app/hook/deliveries?status=failure", app)).body
    detail = await scene.caller.call("GET", f"/app/hook/deliveries/{failed[0]['id']}", app)
    receiver.status = 202
    repeated = await scene.caller.call("POST", f"/app/hook/deliveries/{failed[0]['id']}/attempts", app)
    await scene.github.settle()
    listed = (await scene.caller.call("GET", "/app/hook/deliveries", app)).body

    assert (len(failed), failed[0]["status_code"], failed[0]["redelivery"]) == (1, 503, False)
    assert detail.body["request"]["payload"]["action"] == "created"
    assert detail.body["response"]["payload"] == "received"
    assert repeated.status == 202
    assert [(each["status"], each["redelivery"]) for each in listed] == [
        ("OK", True),
        ("Invalid HTTP Response: 503", False),
    ]
    assert len({each["guid"] for each in listed}) == 1


async def test_the_filter_for_failures_misses_connection_failures(scene: Scene) -> None:
    scene.github.webhook_url = "http://127.0.0.1:9/nobody"
    scene.github.leak(scene.payments)
    await scene.github.settle()
    app = scene.caller.app_jwt()

    failures = await scene.caller.call("GET", "/app/hook/deliveries?status=failure", app)
    listed = await scene.caller.call("GET", "/app/hook/deliveries", app)

    assert failures.body == []
    assert [each["status"] for each in listed.body] == ["failed to connect to host"]


async def test_deliveries_are_paged_by_cursor_and_kept_for_three_days(
    scene: Scene, receiver: Receiver
) -> None:
    scene.github.webhook_url = receiver.url
    for _ in range(3):
        scene.github.leak(scene.payments)
        await scene.github.settle()
    app = scene.caller.app_jwt()
    first = await scene.caller.call("GET", "/app/hook/deliveries?per_page=2", app)
    address = first.headers["Link"].split("<")[1].split(">")[0]
    second = await scene.caller.call("GET", address, app)
    scene.clock.advance(3 * 86_400)
    later = await scene.caller.call("GET", "/app/hook/deliveries", scene.caller.app_jwt())

    alerts = [each["id"] for each in first.body + second.body]
    assert alerts == sorted(alerts, reverse=True)
    assert (len(first.body), len(second.body)) == (2, 1)
    assert later.body == []


async def test_held_deliveries_are_not_sent_automatically(scene: Scene, receiver: Receiver) -> None:
    scene.github.webhook_url = receiver.url
    scene.github.deliver = "hold"
    scene.github.leak(scene.payments)
    await scene.github.settle()

    assert receiver.bodies == []
    assert len(scene.github.held) == 1


async def test_a_slow_receiver_is_a_failed_delivery(scene: Scene, receiver: Receiver) -> None:
    scene.github.webhook_url = receiver.url
    scene.github.webhook_timeout = 0.01
    receiver.delay = 0.5
    scene.github.leak(scene.payments)
    await scene.github.settle()

    assert [(each.status, each.status_code) for each in scene.github.deliveries] == [("timed out", 504)]
