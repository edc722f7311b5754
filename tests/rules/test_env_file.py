"""Changing single settings in the text of `.env`."""

import io

import pytest
from dotenv import dotenv_values

from bot.rules.env_file import Unwritable, changed, quoted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "NAME=new\n"),
        ("A=1\nB=2", "A=1\nB=2\nNAME=new\n"),
        ("# first\n\nNAME=old # why\nB=2\n", "# first\n\nNAME=new # why\nB=2\n"),
        ("export NAME='old'\n", "NAME=new\n"),
        ("name=old\n", "NAME=new\n"),
        ("NAME=one\nNAME=two\n", "NAME=one\nNAME=new\n"),
        ('NAME="two\nlines"\nB=2\n', "NAME=new\nB=2\n"),
        ("A=1\r\nNAME=old\r\n", "A=1\r\nNAME=new\r\n"),
        ("A=1\r\n", "A=1\r\nNAME=new\r\n"),
        ("NAME\nB=2\n", "NAME=new\nB=2\n"),
        ("NAME=\n", "NAME=new\n"),
        ("broken ' line\nB='open\n", "broken ' line\nB='open\nNAME=new\n"),
    ],
)
def test_one_setting_is_changed_and_the_other_lines_stay(before: str, after: str) -> None:
    assert changed(before, {"NAME": "new"}) == after


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "xoxb-1-2-abc",
        "https://stanch.octo.example:8443",
        "with space",
        " around ",
        "hash # inside",
        'it\'s "quoted"',
        "back\\slash\\",
        "dollar$HOME",
        "öß",
        "a=b",
        "#first",
        "'",
        "Zm9v+/8=",
    ],
)
def test_each_value_is_read_as_it_was_written(value: str) -> None:
    text = changed("A=1\n", {"NAME": value, "B": "2"})
    assert dotenv_values(stream=io.StringIO(text)) == {"A": "1", "NAME": value, "B": "2"}


@pytest.mark.parametrize("value", ["two\nlines", "a\rb", "nul\0", "${HOME}"])
def test_what_the_file_can_not_hold_is_refused(value: str) -> None:
    with pytest.raises(Unwritable):
        quoted(value)


def test_an_empty_setting_clears_its_line_and_adds_none() -> None:
    assert changed("A=1 # why\nB=2\n", {"A": "", "C": ""}) == "A= # why\nB=2\n"
