"""People's GitHub tokens stay secret: none is found in anything that the product puts out."""

from typing import Literal

import pytest

from storage.clock import Clock
from tests.flows.outputs import collect_outputs, logging_as
from tests.flows.planted import find_traces
from tests.flows.signed_in import ALERT, DAYS, EXCHANGE, HOURS, sign_in
from tests.flows.stage import ADMIN, open_stage


@pytest.mark.parametrize(
    ("database_url", "style"), [("sqlite", "json"), ("postgresql", "text")], indirect=["database_url"]
)
async def test_no_token_is_found_in_anything_put_out(
    database_url: str,
    clock: Clock,
    private_key: str,
    style: Literal["json", "text"],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of the whole life of a sign-in, with GitHub failing in the middle of calls and of a refresh."""
    with logging_as(style):
        async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
            await sign_in(stage, ADMIN)
            await stage.leak()
            stage.github.faults.add(f"GET {ALERT}", drop="after", times=1)
            await stage.click(ADMIN, "take")
            stage.github.faults.add(f"PATCH {ALERT}", status=500, times=1)
            await stage.close_as(ADMIN, "revoked")
            await stage.work(within=30)
            stage.clock.advance(9 * HOURS)
            for fault in ({"status": 502}, {"garbage": True}, {"drop": "before"}):
                stage.github.faults.add(f"POST {EXCHANGE}", times=1, **fault)
                await stage.click(ADMIN, "reopen")
            await stage.click(ADMIN, "reopen")
            await stage.submit(ADMIN)
            stage.clock.advance(91 * DAYS)
            await stage.click(ADMIN, "check_validity")
            await stage.work(within=60)
            outputs = await collect_outputs(stage)
            literals = {
                f"{live.kind} {number}": live.literal
                for number, live in enumerate(stage.github.live_tokens.values())
                if live.kind in ("app_user", "refresh")
            }
            # Its calls to GitHub carry the tokens, as they must.
            outputs.pop("calls of GitHub")
            literals["the client secret"] = stage.github.client_secret
            assert len(literals) >= 5
    said = capsys.readouterr()
    outputs |= {"standard output": said.out.encode(), "the log": said.err.encode()}
    assert find_traces(outputs, literals) == []
