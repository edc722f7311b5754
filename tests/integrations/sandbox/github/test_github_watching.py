"""Watchers of the stand-in get every change, with or without a webhook."""

from integrations.sandbox.github import GitHubChange
from tests.integrations.sandbox.github.conftest import Scene


async def test_a_watcher_gets_changes_without_any_webhook(scene: Scene) -> None:
    github, seen = scene.github, list[GitHubChange]()
    github.webhook_url = None
    end = github.watch(seen.append)
    token = github.add_live_token(owner=scene.ana)
    alert = github.leak(scene.payments, token=token, author=scene.ana)
    github.close(alert, scene.ana, "revoked")
    github.revoke_token(token)
    assert [(change.kind, change.by, change.alert_number) for change in seen] == [
        ("secret_scanning_alert.created", "ana", 1),
        ("secret_scanning_alert.resolved", "ana", 1),
        ("token.revoked", "ana", None),
    ]
    assert seen[0].repository_id == scene.payments.id
    end()
    github.reopen(alert, scene.ana)
    assert len(seen) == 3, "the watcher was removed"
