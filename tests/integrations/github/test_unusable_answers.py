"""An answer of GitHub without what Stanch needs is refused with a sentence that names it."""

from collections.abc import Callable

import pytest

from integrations.github.app_facts import parse_app, parse_delivery
from integrations.github.commit_facts import parse_commit
from integrations.github.errors import Malformed
from integrations.github.graphql import page_of
from integrations.github.role_facts import parse_collaborator, parse_custom_repository_role
from integrations.github.webhook_events import Ignored, parse_event
from integrations.json_types import JsonObject

ANA = {"id": 1, "login": "ana", "type": "User"}


@pytest.mark.parametrize(
    ("parse", "raw", "sentence"),
    [
        (parse_app, {"owner": {"id": 1}}, "the App has no owner"),
        (parse_delivery, {"id": 1, "guid": "a"}, "the delivery has no usable id, guid or time"),
        (parse_commit, {"commit": {}}, "the commit has no SHA"),
        (parse_collaborator, ANA, "the collaborator has no role"),
        (parse_custom_repository_role, {"id": 1}, "the role has no name"),
        (page_of, {"nodes": []}, "the list has no pages"),
        (page_of, {"nodes": [], "pageInfo": {"hasNextPage": True}}, "a next page without a cursor"),
    ],
)
def test_an_answer_without_what_is_needed_is_refused(
    parse: Callable[[JsonObject], object], raw: JsonObject, sentence: str
) -> None:
    with pytest.raises(Malformed, match=sentence):
        parse(raw)


def test_a_collaborator_is_an_admin_only_by_the_permissions() -> None:
    role = {**ANA, "role_name": "security"}
    assert parse_collaborator({**role, "permissions": {"admin": True}}).permission == "admin"
    assert parse_collaborator({**role, "permissions": {"admin": "yes"}}).permission == "none"
    assert parse_collaborator(role).permission == "none"


@pytest.mark.parametrize("payload", [{"action": "revoked"}, {"action": "granted", "sender": ANA}])
def test_an_authorization_is_used_only_if_a_known_person_revoked_it(payload: JsonObject) -> None:
    assert parse_event("github_app_authorization", payload) == Ignored("event_not_used")
