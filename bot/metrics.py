"""What is counted for Prometheus: numbers only, no names of people, channels or repositories."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """The product's counters and gauges, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "stanch_github_deliveries",
            "Webhook deliveries by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.slack_requests = Counter(
            "stanch_slack_requests",
            "Signed requests from Slack by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.actions = Counter(
            "stanch_actions",
            "What people wanted done, by action and outcome.",
            ["action", "outcome"],
            registry=self.registry,
        )
        self.messages = Counter(
            "stanch_slack_messages",
            "Channel messages posted, updated, found again after an uncertain post, or blocked.",
            ["outcome"],
            registry=self.registry,
        )
        self.swept = Counter(
            "stanch_swept_alerts",
            "Alerts that sweeps saw on GitHub, stored as new, or found changed.",
            ["outcome"],
            registry=self.registry,
        )
        self.jobs_finished = Counter(
            "stanch_jobs_finished",
            "Jobs by kind and how a run of them ended.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.jobs = Gauge("stanch_jobs", "Jobs in the table by state.", ["state"], registry=self.registry)
        self.alerts = Gauge("stanch_alerts", "Alerts stored, by state.", ["state"], registry=self.registry)
        self.blocked_messages = Gauge(
            "stanch_blocked_messages",
            "Channel messages that wait for a channel that may take them.",
            registry=self.registry,
        )
