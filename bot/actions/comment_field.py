"""The comment of closing and reopening: its field in the form, its checks, and its signature."""

from bot.errors import Refused
from bot.requests import UserInput
from bot.rules.case import PersonalCase
from bot.rules.comments import SECRET_INSIDE, comment_fault, max_typed_length, sign_comment
from bot.rules.masking import looks_like_secret
from integrations.slack.blocks import Block, input_block
from integrations.slack.elements import text_input

HINT = "Goes to GitHub's timeline and can't be changed later. No secrets, please."
FIELD = "comment"


def comment_field(case: PersonalCase, *, required: bool, hint: str = HINT) -> Block:
    """The field of the form; GitHub's limit leaves room for the signature."""
    longest = max_typed_length(case.actor.identity.github.login)
    typed = text_input(action_id=FIELD, multiline=True, max_length=longest)
    return input_block("Comment", typed, block_id=FIELD, hint=hint, optional=not required)


def comment_errors(user_input: UserInput, *, required: bool) -> dict[str, str]:
    """What is wrong with the comment, by block id."""
    fault = comment_fault(_typed(user_input), required=required)
    return {FIELD: fault} if fault else {}


def signed_comment(case: PersonalCase, user_input: UserInput) -> str:
    """The comment for GitHub, which names the person who acts; raises Refused if it looks like a secret."""
    comment = sign_comment(_typed(user_input), case.actor.identity.github.login)
    if looks_like_secret(comment):
        raise Refused("secret_in_comment", SECRET_INSIDE)
    return comment


def _typed(user_input: UserInput) -> str | None:
    comment = user_input.get(FIELD)
    return comment if isinstance(comment, str) else None
