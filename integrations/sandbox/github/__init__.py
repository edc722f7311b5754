"""A strict stand-in for GitHub, over real HTTP, for tests and the demo.

    async with GitHubSandbox(now=clock, private_key=pem) as github:
        octo = github.app_owner                       # the organization that owns the App
        ana = github.add_user("ana")
        github.add_member(octo, ana, role="admin")    # an organization owner
        payments = github.add_repository(octo, "payments")
        github.install(octo)
        token = github.add_live_token(owner=ana, scopes=("repo",))
        alert = github.leak(payments, token=token)

        github.webhook_url = "http://127.0.0.1:3000/github/webhooks"
        github.close(alert, by=ana, resolution="revoked")
        await github.settle()                         # every delivery under way is answered
        assert not github.violations
        assert not github.unexpected

Addresses: `url` is the web, `api_url` the REST API; both listen on 127.0.0.1. The App is `app_id`,
`client_id`, `app_slug`, `private_key` and `webhook_secret`. `now` is the only clock: tokens expire, limits
come back and reading lags by it. A private key takes a moment to make (`generate_private_key`), so share
one.

State: the builders are in `people`, `repositories` and `alerts`. They are plain functions, and what changes
something sends the webhook that GitHub sends, once `webhook_url` is set. Setting a record's field instead
is a change that nobody is told of. `deliver = "hold"` collects deliveries in `held`; `await
github.send(delivery)` sends one whenever and as often as you like, `delivery.sparse()` as old servers do.
Every attempt is in `deliveries`.

Strictness: GitHub's own description judges each request and each answer. What a caller does wrong is
refused as GitHub refuses it and noted in `violations`; what GitHub quietly ignores (an unknown query name,
a page over 100, a missing version header) is only noted. A method or path that isn't here is a 404 and
noted in `unexpected`. `requests` and `calls(method, path)` tell what was asked, with which authorization,
and what came of it; a redirect after a rename leads to `/repositories/{id}/…`.

`watch(callback)` tells of every `GitHubChange`, with or without a webhook, for a page that shows GitHub live.

Trouble: `faults` (see `integrations.sandbox.faults`), `read_lag` and `alert.read_lag` (seconds until REST
shows an alert), `revoke_delay` (seconds until a reported token dies, `None` for never), `core_limit`,
`unauthenticated_limit`, `lockout_after`, `webhook_timeout`. Where GitHub doesn't say what it does,
`hidden_secret` (what `secret` is under `hide_secret`; `None`: absent), `tells_first_location` (whether an alert
has the optional `first_location_detected`) and `validated_on_override` (whether recording a validity sends
`validated`) choose.
"""

from integrations.sandbox.github.authentication import generate_private_key
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.deliveries import WebhookDelivery
from integrations.sandbox.github.records import (
    Enterprise,
    GitHubAlert,
    GitHubInstallation,
    GitHubRepository,
    GitHubTeam,
    GitHubUser,
    LiveToken,
    Location,
    Organization,
)
from integrations.sandbox.github.sandbox import GitHubSandbox
from integrations.sandbox.github.world import GitHubChange

__all__ = [
    "Enterprise",
    "GitHubAlert",
    "GitHubChange",
    "GitHubInstallation",
    "GitHubRepository",
    "GitHubSandbox",
    "GitHubTeam",
    "GitHubUser",
    "LiveToken",
    "Location",
    "Organization",
    "RecordedRequest",
    "WebhookDelivery",
    "generate_private_key",
]
