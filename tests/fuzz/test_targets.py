"""Each parser of what comes from outside takes any bytes, or refuses them by its own error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS
from tests.integrations.github.test_webhook_body import json_values

WORDS = st.sampled_from(
    sorted(
        {
            *(
                "type",
                "actions",
                "action_id",
                "value",
                "user",
                "id",
                "team",
                "view",
                "state",
                "values",
                "message",
            ),
            *(
                "action",
                "alert",
                "number",
                "repository",
                "full_name",
                "owner",
                "login",
                "sender",
                "installation",
            ),
            *(
                "location",
                "details",
                "created_at",
                "resolution",
                "metadata",
                "channel",
                "private_metadata",
                "ts",
            ),
            *(
                "selected_option",
                "selected_options",
                "payload",
                "command",
                "user_id",
                "team_id",
                "text",
                "event",
            ),
        }
    )
)
OBJECTS = st.recursive(
    json_values,
    lambda inner: st.dictionaries(WORDS, inner, max_size=6) | st.lists(inner, max_size=2),
    max_leaves=30,
).map(lambda value: json.dumps(value).encode())
TYPES = st.sampled_from(
    ("block_actions", "view_submission", "shortcut", "message_action", "event_callback", "created")
)
TYPED = st.tuples(st.dictionaries(WORDS, json_values, max_size=6), TYPES).map(
    lambda pair: json.dumps({**pair[0], "type": pair[1], "action": pair[1]}).encode()
)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_any_bytes_are_taken_or_refused(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    head = data.draw(st.binary(min_size=0, max_size=2))
    known = data.draw(st.sampled_from(target.examples or (b"",)))
    cut = data.draw(st.integers(0, len(known)))
    body = data.draw(st.one_of(st.binary(max_size=60), OBJECTS, TYPED, st.text(max_size=40).map(str.encode)))
    for bytes_ in (head + body, body, known[:cut] + body, known[:cut] + head + known[cut:]):
        target.run(bytes_)


@pytest.mark.parametrize("name", TARGETS)
def test_the_example_of_each_parser_is_parsed(name: str) -> None:
    for example in TARGETS[name].examples:
        TARGETS[name].run(example)
