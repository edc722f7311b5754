"""Checks the links between Slack users and GitHub accounts, the stored tokens, and the operators."""

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, fault, ok, warning
from bot.rules.identity_claims import CONTESTED
from integrations.slack.errors import PersonUnavailable, SlackError
from storage import sign_ins
from storage.db import Database, StorageUnavailable
from storage.encryption import Keyring
from storage.records import SlackUserId

BATCH = 500


async def check_people(examined: Examined, stored: StoredFacts, *, slack_answers: bool) -> list[CheckResult]:
    """People are named at the command line alone."""
    if not stored.is_known or examined.db is None:
        return []
    found = []
    linked = [one for one in stored.identities if one.suspension is None]
    if not linked:
        found.append(warning("people.nobody_linked"))
    contested = sorted(one.slack_user for one in stored.identities if one.suspension in CONTESTED)
    if contested:
        found.append(warning("people.contested", names=contested, number=len(contested)))
    if examined.settings is not None:
        keys = examined.settings.encryption_keys()
        found += await _tokens(examined.db, Keyring(keys) if keys else None)
        for user in sorted(examined.settings.stanch_operators):
            found += await _operator(examined, stored, SlackUserId(user), slack_answers=slack_answers)
    return found or [ok("people.ok", number=len(linked))]


async def _tokens(db: Database, keyring: Keyring | None) -> list[CheckResult]:
    """People whose token no key decrypts."""
    lost: list[str] = []
    after = ("", "")
    try:
        async with db.read() as tx:
            while some := await sign_ins.with_tokens(tx, after, BATCH):
                after = (some[-1].slack_team, some[-1].slack_user)
                lost += [
                    one.slack_user
                    for one in some
                    if one.tokens is not None and (keyring is None or not keyring.has(one.tokens.key_id))
                ]
    except StorageUnavailable:
        return []  # A finding of the database.
    return [fault("people.unreadable_tokens", names=lost, number=len(lost))] if lost else []


async def _operator(
    examined: Examined, stored: StoredFacts, user: SlackUserId, *, slack_answers: bool
) -> list[CheckResult]:
    if examined.slack is not None and slack_answers:
        try:
            if (await examined.slack.person(user)).is_deleted:
                return [warning("people.operator_left", user)]
        except PersonUnavailable:
            return [warning("people.operator_unknown", user)]
        except SlackError:
            pass  # A finding of Slack's.
    return [] if stored.is_linked(user) else [warning("people.operator_not_linked", user)]
