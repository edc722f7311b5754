"""The switches of the demo page that make GitHub and Slack misbehave."""

from collections.abc import Callable
from dataclasses import dataclass

from integrations.sandbox.faults import FaultPlan, PlannedFault
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox


@dataclass(frozen=True, slots=True)
class Switch:
    """One kind of trouble: its words, and how it is turned on."""

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
        "Every call of the API answers 503. Webhooks still arrive.",
        lambda plan: plan.add(".*", status=503, body={"message": "Service unavailable"}),
    ),
    Switch(
        "github_slow",
        "github",
        "GitHub is slow",
        "Every call takes two seconds more.",
        lambda plan: plan.add(".*", slow=2.0),
    ),
    Switch(
        "github_limited",
        "github",
        "GitHub limits the rate",
        "Every call answers 403 and asks to come back in 20 seconds.",
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
        "Posting and updating answer 429 and ask to come back in 5 seconds.",
        lambda plan: plan.add(
            r"chat\..*", status=429, headers={"Retry-After": "5"}, body={"ok": False, "error": "ratelimited"}
        ),
    ),
    Switch(
        "slack_drops",
        "slack",
        "Slack loses its answers",
        "Messages are posted, but the connection breaks before the bot hears so.",
        lambda plan: plan.add(r"chat\.(postMessage|update)", drop="after"),
    ),
    Switch(
        "slack_down",
        "slack",
        "Slack is down",
        "Every call of Slack's API answers 503.",
        lambda plan: plan.add(".*", status=503),
    ),
)


class Switchboard:
    """Which switches are on."""

    def __init__(self, slack: SlackSandbox, github: GitHubSandbox) -> None:
        self._plans = {"slack": slack.faults, "github": github.faults}
        self._rules: dict[str, PlannedFault] = {}

    def is_on(self, switch: Switch) -> bool:
        return switch.id in self._rules

    def turn(self, switch_id: str, *, on: bool) -> None:
        """Turn a switch on or off; `KeyError` where there is none of that name."""
        switch = {each.id: each for each in SWITCHES}[switch_id]
        if on and not self.is_on(switch):
            self._rules[switch_id] = switch.turn_on(self._plans[switch.side])
        elif not on and self.is_on(switch):
            self._plans[switch.side].remove(self._rules.pop(switch_id))
