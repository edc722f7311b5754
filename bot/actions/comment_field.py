"""The comment of closing and reopening: its field in the form, its checks, and its signature."""

from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.comments import (
    MAX_SIGNED,
    comment_fault,
    max_typed_length,
    plain_comment,
    sign_comment,
)
from bot.views.refusals import incomplete_form
from integrations.slack.blocks import Block, input_block
from integrations.slack.elements import text_input
from integrations.slack.text import clean, units

HINT = "Goes to GitHub's timeline and can't be changed later. No secrets, please."
FIELD = "comment"


def comment_field(case: PersonalCase, *, required: bool, hint: str = HINT) -> Block:
    """The field of the form; GitHub's limit leaves room for the signature where there is one."""
    longest = max_typed_length(None if case.own_name else case.actor.identity.github.login)
    typed = text_input(action_id=FIELD, multiline=True, max_length=longest)
    return input_block("Comment", typed, block_id=FIELD, hint=hint, optional=not required)


def comment_errors(user_input: UserInput, *, required: bool) -> dict[str, str]:
    """What is wrong with the comment, by block id."""
    fault = comment_fault(_typed(user_input), required=required)
    return {FIELD: fault} if fault else {}


def github_comment(case: PersonalCase, user_input: UserInput) -> str:
    """The comment for GitHub. In the App's name it is signed with the person's login; in their own it may be empty.

    `comment_errors` has found no fault in it. Raises Refused if it is too long with its signature.
    """
    typed, login = _typed(user_input), case.actor.identity.github.login
    if case.own_name:
        return plain_comment(typed)
    if units(clean(typed or "")) > MAX_SIGNED:
        # Slack's field takes no more; the check of the fields does not know in whose name it will be.
        raise incomplete_form()
    return sign_comment(typed, login)


def _typed(user_input: UserInput) -> str | None:
    comment = user_input.get(FIELD)
    return comment if isinstance(comment, str) else None
