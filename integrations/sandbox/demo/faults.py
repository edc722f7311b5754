"""The demo page's switches for faults of GitHub and Slack."""

from collections.abc import Callable
from dataclasses import dataclass

from integrations.sandbox.faults import FaultPlan, PlannedFault
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault: its texts on the page, and how it is turned on."""

    id: str
    side: str
    name: str
    meaning: str
    turn_on: Callable[[FaultPlan], PlannedFault]


SWITCHES = (
    Switch(
        "github_down",
        "github",
        "GitHub is down",
        "Every API call answers 503. Webhooks still arrive.",
        lambda plan: plan.add(".*", status=503, body={"message": "Service unavailable"}),
    ),
    Switch(
        "github_slow",
        "github",
        "GitHub is slow",
        "Every API call takes two seconds longer.",
        lambda plan: plan.add(".*", slow=2.0),
    ),
    Switch(
        "github_limited",
        "github",
        "GitHub limits the rate",
        "Every API call answers 403 and asks to retry in 20 seconds.",
        lambda plan: plan.add(
            ".*",
            status=403,
            headers={"Retry-After": "20"},
            body={"message": "You have exceeded a secondary rate limit. Please wait."},
        ),
    ),
    Switch(
        "slack_limited",
        "slack",
        "Slack limits the rate",
        "Posting and updating messages answers 429 and asks to retry in 5 seconds.",
        lambda plan: plan.add(
            r"chat\..*", status=429, headers={"Retry-After": "5"}, body={"ok": False, "error": "ratelimited"}
        ),
    ),
    Switch(
        "slack_drops",
        "slack",
        "Slack loses its answers",
        "Messages are posted, but the connection breaks before the bot gets the answer.",
        lambda plan: plan.add(r"chat\.(postMessage|update)", drop="after"),
    ),
    Switch(
        "slack_down",
        "slack",
        "Slack is down",
        "Every API call answers 503.",
        lambda plan: plan.add(".*", status=503),
    ),
)


class Switchboard:
    """The switches that are on."""

    def __init__(self, slack: SlackSandbox, github: GitHubSandbox) -> None:
        self._plans = {"slack": slack.faults, "github": github.faults}
        self._faults: dict[str, PlannedFault] = {}

    def is_on(self, switch: Switch) -> bool:
        return switch.id in self._faults

    def turn(self, switch_id: str, *, on: bool) -> None:
        """Turn a switch on or off; `KeyError` for an unknown id."""
        switch = {each.id: each for each in SWITCHES}[switch_id]
        if on and not self.is_on(switch):
            self._faults[switch_id] = switch.turn_on(self._plans[switch.side])
        elif not on and self.is_on(switch):
            self._plans[switch.side].remove(self._faults.pop(switch_id))
