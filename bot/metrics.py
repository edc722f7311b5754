"""Metrics for Prometheus: numbers only, no names of people, channels or repositories."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """All counters and gauges, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "stanch_github_deliveries", "Webhook deliveries by outcome.", ["outcome"], registry=self.registry
        )
        self.slack_requests = Counter(
            "stanch_slack_requests", "Requests of Slack by outcome.", ["outcome"], registry=self.registry
        )
        self.actions = Counter(
            "stanch_actions", "Actions by name and outcome.", ["action", "outcome"], registry=self.registry
        )
        self.messages = Counter(
            "stanch_slack_messages",
            "Channel messages posted, updated, found again after an uncertain post, or blocked.",
            ["outcome"],
            registry=self.registry,
        )
        self.swept = Counter(
            "stanch_swept_alerts",
            "Alerts that syncs saw on GitHub, stored as new, or found changed.",
            ["outcome"],
            registry=self.registry,
        )
        self.jobs_finished = Counter(
            "stanch_jobs_finished",
            "Runs of jobs by kind and outcome.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.jobs = Gauge("stanch_jobs", "Jobs in the table by state.", ["state"], registry=self.registry)
        self.alerts = Gauge("stanch_alerts", "Alerts stored, by state.", ["state"], registry=self.registry)
        self.blocked_messages = Gauge(
            "stanch_blocked_messages", "Channel messages that wait for their channel.", registry=self.registry
        )
