"""Metrics for Prometheus: numbers only, no names of people, channels or repositories."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """All counters and gauges, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        self.deliveries = counter("stanch_github_deliveries", "Webhook deliveries by outcome.", "outcome")
        self.slack_requests = counter("stanch_slack_requests", "Requests of Slack by outcome.", "outcome")
        self.signed_requests = counter(
            "stanch_signed_requests",
            "Requests by the setting of the secret that signed them, while an old secret is accepted too.",
            "setting",
        )
        self.actions = counter("stanch_actions", "Actions by name and outcome.", "action", "outcome")
        self.messages = counter(
            "stanch_slack_messages",
            "Channel messages posted, updated, found again after an uncertain post, or blocked.",
            "outcome",
        )
        self.swept = counter(
            "stanch_swept_alerts",
            "Alerts that syncs saw on GitHub, stored as new, or found changed.",
            "outcome",
        )
        self.jobs_finished = counter(
            "stanch_jobs_finished", "Runs of jobs by kind and outcome.", "kind", "outcome"
        )
        self.jobs = gauge("stanch_jobs", "Jobs in the table by state.", "state")
        self.alerts = gauge("stanch_alerts", "Alerts stored, by state.", "state")
        self.blocked_messages = gauge(
            "stanch_blocked_messages", "Channel messages that wait for their channel."
        )
