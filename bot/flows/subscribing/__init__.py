"""Subscriptions by command: who may, what they would bring, storing them, and the checks on a schedule."""
