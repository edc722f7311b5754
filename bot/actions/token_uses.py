"""Find its uses: links to a search of the organization's audit log for what was done with a leaked token."""

import base64
import hashlib
from urllib.parse import quote

from bot.actions.action import Action, ActionRun, Outcome
from bot.errors import Refused
from bot.requests import UserInput
from bot.rules.case import Case, PersonalCase
from bot.rules.rights import Need, OthersCan
from bot.views.answers import answer
from bot.views.formatting import alert_name
from integrations.github.token_format import decode, kind_of
from integrations.literal import Literal
from integrations.slack import text as t
from integrations.slack.blocks import Content
from integrations.slack.elements import Element, button
from integrations.slack.text import Mrkdwn

BUTTON = "Find its uses"
OWNERS_ALONE = "Organization owners alone can search the audit log, with this button."
HOW = "Search the organization's audit log for this token:"
KEEP_IT_HERE = Mrkdwn(
    "Only you see this, and Stanch keeps it nowhere. Git events are only in GitHub's exports."
)


class TokenUses(Action[str]):
    """A button of the checklist, for GitHub tokens found in an organization's repository.

    The decision is the login of the organization whose audit log is searched.
    """

    id = "token_uses"
    audited_as = "token_uses"

    def decide(self, case: PersonalCase, user_input: UserInput) -> str:
        repository = case.repository
        if not can_search_uses(case) or not repository.is_reachable:
            raise Refused("not_searchable", "There is no audit log to search for this secret.")
        if not case.actor.rights.owner:
            raise OthersCan("no_role", "You can't search the audit log.", OWNERS_ALONE, who_can=Need.OWNER)
        return repository.owner.login

    async def act(self, run: ActionRun, decision: str) -> Outcome:
        case = run.case
        literal = await run.access.literal(case.repository.full_name, case.alert.key.number)
        token = decode(literal, case.alert.base64_encoded)
        if token is None or kind_of(case.alert.secret_type, token) is None:
            headline = "The secret is not a GitHub token in full, so it can't be searched for."
            raise Refused("not_a_token", headline)
        found = search_answer(case, _hashed(token), decision, run.context.github_url)
        return Outcome(answer=None, unstored_answer=found)


def search_answer(case: PersonalCase, hashed: str, organization: str, github_url: str) -> Content:
    """The audit-log search for a token, by its hash."""
    phrase = f'hashed_token:"{hashed}"'
    page = f"{github_url}/organizations/{quote(organization, safe='')}/settings/audit-log"
    there = t.link(f"{page}?q={quote(phrase)}", "Open the search on GitHub")
    name = alert_name(case.alert, case.repository)
    return answer("mag", HOW, t.lines(name, t.code(phrase), there), KEEP_IT_HERE)


def can_search_uses(case: Case) -> bool:
    """Whether GitHub's audit log can be searched for the secret."""
    return case.alert.secret_type.startswith("github_") and case.repository.owner_type == "Organization"


def uses_button(case: Case) -> Element:
    """The button below the checklist."""
    return button(BUTTON, action_id=TokenUses.id, value=str(case.alert.key))


def _hashed(token: Literal) -> str:
    """GitHub's docs: the audit log names a token by the Base64 of its SHA-256."""
    return base64.b64encode(hashlib.sha256(token.reveal().encode()).digest()).decode()
