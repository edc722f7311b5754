"""GitHub: webhooks, REST client, App authentication, token probes and revocation."""
