"""Slack as we speak to it: building what people see, checking what arrives, calling the Web API."""
