"""The page's GitHub: its data, and its actions through the stand-in's builders."""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import cast, get_args

from integrations.sandbox.demo.leaks import LEAK_KINDS, MOST_AT_ONCE, Leak, LeakKind
from integrations.sandbox.demo.stage import Stage
from integrations.sandbox.demo.world import PEOPLE, ROLES, Role, octo, role_of, set_role
from integrations.sandbox.github import (
    GitHubAlert,
    GitHubRepository,
    GitHubUser,
    LiveToken,
    Location,
    WebhookDelivery,
)
from integrations.sandbox.github.rights import has_write_access
from integrations.sandbox.slack import Json

RESOLUTIONS = ("revoked", "false_positive", "used_in_tests", "wont_fix")
COMMENT_LENGTH = 280


class GitHubPanel:
    """GitHub on the page. Actions raise `ValueError` with a sentence for what GitHub would not offer."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._github = stage.github

    # Data

    def overview(self) -> Json:
        """Repositories, people with their roles, failed deliveries; small enough to be sent whole."""
        failed = self._failed_deliveries()
        return {
            "organization": octo(self._github).login,
            "repositories": [
                {
                    "id": each.id,
                    "name": each.full_name,
                    "visibility": each.visibility,
                    "archived": each.archived,
                }
                for each in self._github.repositories.values()
                if not each.deleted
            ],
            "people": [
                {
                    "id": user.id,
                    "login": person.login,
                    "name": person.name,
                    "role": role_of(self._github, user),
                    "authorized": user.id in self._github.authorizations,
                }
                for person in PEOPLE
                if (user := self._github.user(person.login)) is not None
            ],
            "roles": ROLES,
            "leak_kinds": LEAK_KINDS,
            "failed_deliveries": len(failed),
        }

    def alerts(self) -> dict[str, Json]:
        """Every alert by `<repository id>/<number>`."""
        return {f"{i}/{n}": self.alert(a) for (i, n), a in self._github.alerts.items() if not a.removed}

    def alert(self, alert: GitHubAlert) -> Json:
        """One alert as its page on GitHub shows it, without the secret."""
        token = self._token(alert)
        return {
            "id": f"{alert.repository.id}/{alert.number}",
            "number": alert.number,
            "repository_id": alert.repository.id,
            "repository": alert.repository.full_name,
            "visibility": alert.repository.visibility,
            "name": alert.display_name,
            "state": alert.state,
            "resolution": alert.resolution,
            "comment": alert.resolution_comment,
            "resolved_by": alert.resolved_by.login if alert.resolved_by else None,
            "validity": alert.validity,
            "publicly_leaked": alert.publicly_leaked,
            "bypassed_by": alert.bypassed_by.login if alert.bypassed_by else None,
            "bypass_comment": alert.bypass_comment,
            "assigned_to": alert.assigned_to.login if alert.assigned_to else None,
            "created_at": alert.created_at,
            "updated_at": alert.updated_at,
            "places": [_place(location) for location in alert.locations],
            "url": self._github.alert_url(alert),
            "token": token and {"owner": token.owner.login, "kind": token.kind, "dead_at": token.revoked_at},
            "timeline": [asdict(entry) for entry in self._stage.timelines.of(alert)],
        }

    # Actions

    async def do(self, action: str, fields: Json) -> Json:
        """Carry out one action of the page and return its answer."""
        if action == "leak":
            return await self._leak(fields)
        actions: dict[str, Callable[[Json], None]] = {
            "close": self._close,
            "reopen": lambda fields: self._github.reopen(self._alert(fields), self._actor(fields)),
            "publish": lambda fields: self._github.set_public_leak(self._alert(fields)),
            "assign": self._assign,
            "revoke": self._revoke,
            "revoke-authorization": self._revoke_authorization,
            "role": self._role,
            "rename": self._rename,
            "visibility": self._visibility,
            "redeliver": self._redeliver,
        }
        if action not in actions:
            raise ValueError(f"GitHub has no {action!r} here.")
        actions[action](fields)
        return {}

    async def _leak(self, fields: Json) -> Json:
        kind, count = fields.get("kind", "classic"), fields.get("count", 1)
        if kind not in get_args(LeakKind):
            raise ValueError("There is no such kind of secret.")
        if not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
            raise ValueError(f"Leak between 1 and {MOST_AT_ONCE} at once.")
        leak = Leak(
            cast("LeakKind", kind),
            count,
            bypassed=fields.get("bypassed") is True,
            publicly_leaked=fields.get("publicly_leaked") is True,
        )
        alerts = await self._stage.leak(self._repository(fields), leak)
        return {"alerts": [f"{each.repository.id}/{each.number}" for each in alerts]}

    def _close(self, fields: Json) -> None:
        alert, resolution, comment = (
            self._alert(fields),
            fields.get("resolution"),
            fields.get("comment") or None,
        )
        if resolution not in RESOLUTIONS:
            raise ValueError("Choose a reason to close it.")
        if comment is not None and (not isinstance(comment, str) or len(comment) > COMMENT_LENGTH):
            raise ValueError(f"A comment has at most {COMMENT_LENGTH} characters.")
        if alert.state != "open":
            raise ValueError("It is closed already.")
        self._github.close(alert, self._actor(fields), str(resolution), comment)

    def _assign(self, fields: Json) -> None:
        alert, by = self._alert(fields), self._actor(fields)
        if not fields.get("assignee"):
            if alert.assigned_to is not None:
                self._github.unassign(alert, by)
            return
        user = self._github.user(str(fields["assignee"]))
        if user is None or not has_write_access(alert.repository, user):
            raise ValueError("An assignee needs write access to the repository.")
        self._github.assign(alert, user, by)

    def _revoke(self, fields: Json) -> None:
        token = self._token(self._alert(fields))
        if token is None or not token.is_valid(self._github.now()):
            raise ValueError("There is no working token behind this alert.")
        self._github.revoke_token(token)

    def _role(self, fields: Json) -> None:
        role = fields.get("role")
        if role not in ROLES:
            raise ValueError("There is no such role.")
        set_role(self._github, str(fields.get("login")), cast("Role", role))

    def _revoke_authorization(self, fields: Json) -> None:
        user = self._github.user(str(fields.get("of")))
        if user is None or user.id not in self._github.authorizations:
            raise ValueError("This person has not authorized Stanch.")
        self._github.revoke_authorization(user)

    def _rename(self, fields: Json) -> None:
        name = str(fields.get("name", "")).strip()
        if not name or not all(letter.isalnum() or letter in "-_." for letter in name) or len(name) > 100:
            raise ValueError("A name has letters, digits, and - _ . only.")
        self._github.rename_repository(self._repository(fields), name)

    def _visibility(self, fields: Json) -> None:
        repository = self._repository(fields)
        self._github.set_visibility(repository, "public" if repository.private else "private")

    def _redeliver(self, _fields: Json) -> None:
        for delivery in self._failed_deliveries():
            self._github.redeliver(delivery)

    def _failed_deliveries(self) -> list[WebhookDelivery]:
        """The last attempt of each delivery that never succeeded."""
        last = {delivery.guid: delivery for delivery in self._github.deliveries}
        return [delivery for delivery in last.values() if delivery.status != "OK"]

    def _token(self, alert: GitHubAlert) -> LiveToken | None:
        """The working token behind an alert; a dictionary look-up, because the panel needs it for every alert."""
        literal = alert.literal
        if alert.is_base64_encoded:
            literal = base64.b64decode(literal).decode()
        return self._github.live_tokens.get(literal)

    def _alert(self, fields: Json) -> GitHubAlert:
        repository_id, _, number = str(fields.get("alert")).partition("/")
        if not (repository_id.isdecimal() and number.isdecimal()):
            raise ValueError("There is no such alert.")
        alert = self._github.alerts.get((int(repository_id), int(number)))
        if alert is None:
            raise ValueError("There is no such alert.")
        return alert

    def _repository(self, fields: Json) -> GitHubRepository:
        repository = self._github.repositories.get(cast("int", fields.get("repository")))
        if repository is None or repository.deleted:
            raise ValueError("There is no such repository.")
        return repository

    def _actor(self, fields: Json) -> GitHubUser:
        user = self._github.user(str(fields.get("login")))
        if user is None:
            raise ValueError("Nobody on GitHub has this login.")
        return user


def _place(location: Location) -> Json:
    """A location as its alert's page shows it: the file and commit, or only its type where it is in no file."""
    return {
        "type": location.type,
        "path": location.details.get("path"),
        "line": location.details.get("start_line"),
        "commit": location.details.get("commit_sha"),
    }
