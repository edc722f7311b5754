"""In whose name an act goes out: by the option, by what links the person, and by the state of their sign-in."""

from dataclasses import replace

import pytest

from bot.rules.acting_name import SIGN_IN_NEEDED, ActingName, NoName, acting_name, may_have_token
from storage.records import (
    Account,
    GitHubId,
    Identity,
    IdentitySource,
    SignIn,
    SlackTeamId,
    SlackUserId,
    StoredTokens,
    Suspension,
)

NOW = 1000.0
ANA = Account(GitHubId(11), "ana")
TOKENS = StoredTokens("k1", b"access", b"refresh", NOW + 100, NOW + 1000)
SIGNED_IN = SignIn(SlackTeamId("T1"), SlackUserId("U1"), ANA, 1.0, NOW + 10, TOKENS)
SIGN_INS: dict[str, SignIn | None] = {
    "none": None,
    "kept": SIGNED_IN,
    "not kept": replace(SIGNED_IN, tokens=None),
    "expired": replace(SIGNED_IN, tokens=replace(TOKENS, access_until=1.0)),
    "lapsed": replace(SIGNED_IN, lapses_at=NOW),
    "lapsed, not kept": replace(SIGNED_IN, lapses_at=NOW, tokens=None),
    "of another account": replace(SIGNED_IN, github=Account(GitHubId(12), "ben")),
    **{
        why.value: replace(SIGNED_IN, tokens=None, suspension=why.value)
        for why in (Suspension.TOKEN_REFUSED, Suspension.AUTHORIZATION_REVOKED, Suspension.UNDECRYPTABLE)
    },
}
OWN, APP, NEEDED = ActingName.OWN, ActingName.APP, NoName(SIGN_IN_NEEDED)
BY_SIGN_IN: dict[str, tuple[ActingName | NoName, ActingName | NoName]] = {
    # By the state of the sign-in: with act_as = "user", and with "user_or_app".
    "none": (NoName("unlinked"), NoName("unlinked")),
    "kept": (OWN, OWN),
    "not kept": (NEEDED, APP),
    "expired": (OWN, OWN),
    "lapsed": (NoName("lapsed"), NoName("lapsed")),
    "lapsed, not kept": (NoName("lapsed"), NoName("lapsed")),
    "of another account": (NoName("unlinked"), NoName("unlinked")),
    "token_refused": (NoName("token_refused"), NoName("token_refused")),
    "authorization_revoked": (NoName("authorization_revoked"), NoName("authorization_revoked")),
    "undecryptable": (NoName("undecryptable"), NoName("undecryptable")),
}


def linked(proof: str, suspension: str | None = None) -> Identity:
    return Identity(*(SlackTeamId("T1"), SlackUserId("U1"), ANA, proof, 1.0, "cli"), suspension=suspension)


@pytest.mark.parametrize("state", SIGN_INS)
@pytest.mark.parametrize("act_as", ["user", "user_or_app"])
def test_a_sign_in_decides_and_never_falls_back_to_the_app(act_as: str, state: str) -> None:
    user, user_or_app = BY_SIGN_IN[state]
    person = linked(IdentitySource.SIGN_IN)
    assert may_have_token(act_as, person)
    expected = user if act_as == "user" else user_or_app
    assert acting_name(act_as, person, SIGN_INS[state], NOW) == expected


@pytest.mark.parametrize("state", SIGN_INS)
@pytest.mark.parametrize("proof", [IdentitySource.OPERATOR, IdentitySource.DIRECTORY, "tomorrows_word"])
@pytest.mark.parametrize("act_as", ["user", "user_or_app"])
def test_other_links_never_use_a_token(act_as: str, proof: str, state: str) -> None:
    """Not even one of the same Slack user, which an operator has overruled."""
    person = linked(proof)
    assert not may_have_token(act_as, person)
    assert acting_name(act_as, person, SIGN_INS[state], NOW) == (NEEDED if act_as == "user" else APP)


@pytest.mark.parametrize("state", SIGN_INS)
@pytest.mark.parametrize("proof", list(IdentitySource))
def test_with_act_as_app_it_is_the_app(proof: str, state: str) -> None:
    assert not may_have_token("app", linked(proof))
    assert acting_name("app", linked(proof), SIGN_INS[state], NOW) is APP


@pytest.mark.parametrize("why", list(Suspension))
@pytest.mark.parametrize("proof", list(IdentitySource))
@pytest.mark.parametrize("act_as", ["user", "app", "user_or_app"])
def test_a_suspended_link_gives_no_rights_in_any_mode(act_as: str, proof: str, why: Suspension) -> None:
    assert acting_name(act_as, linked(proof, why), SIGNED_IN, NOW) == NoName(why)
