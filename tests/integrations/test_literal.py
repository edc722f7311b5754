"""A literal is not printed, stored or compared by accident."""

import copy
import json
import pickle
import traceback

import pytest

from integrations.literal import Literal

MARK = "ghp_" + "s" * 36


def test_only_reveal_gives_the_text() -> None:
    literal = Literal(MARK)
    assert literal.reveal() == MARK
    for text in (repr(literal), str(literal), f"{literal}", f"{literal!r}", repr([literal])):
        assert text in {"Literal(hidden)", "[Literal(hidden)]"}


@pytest.mark.parametrize("store", [pickle.dumps, json.dumps, copy.copy, copy.deepcopy, vars])
def test_it_cannot_be_stored_or_copied(store: object) -> None:
    assert callable(store)
    with pytest.raises(TypeError) as caught:
        store(Literal(MARK))
    assert MARK not in str(caught.value)


def test_two_of_the_same_text_are_not_equal() -> None:
    assert Literal(MARK) != Literal(MARK)


def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    def fails(literal: Literal) -> None:
        raise RuntimeError(f"with {literal}")

    try:
        fails(Literal(MARK))
    except RuntimeError as error:
        rendered = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Literal(hidden)" in rendered
    assert MARK not in rendered


def test_two_literals_of_one_text_match_without_being_equal() -> None:
    assert Literal("s3cret").matches(Literal("s3cret"))
    assert not Literal("s3cret").matches(Literal("s3cret2"))
    assert Literal("s3cret") != Literal("s3cret")
