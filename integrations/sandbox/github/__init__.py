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
        await github.settle()                         # wait until every delivery is answered
        assert github.complaints == []            # violations and unexpected calls

Addresses: `url` is the web, `api_url` the REST API; both listen on 127.0.0.1. The App is `app_id`,
`client_id`, `app_slug`, `private_key` and `webhook_secret`. `now` is the only clock: by it tokens expire,
limits reset and read lags end. Generating a private key is slow (`generate_private_key`), so share one.

State: the builders in `people`, `repositories` and `alerts` are methods of the sandbox. A builder that changes
something sends GitHub's webhook for it, if `webhook_url` is set. Setting a record's field directly sends
nothing. `deliver = "hold"` collects deliveries in `held`; `await github.send(delivery)` sends one, as often as
needed; `delivery.sparse()` is the same delivery as old servers send it. Every attempt is in `deliveries`.

Strictness: GitHub's OpenAPI description checks every request and every answer. A wrong request is refused as
GitHub refuses it and recorded in `violations`. What GitHub ignores (an unknown query parameter, a page size
over 100, a missing version header) is only recorded. An unknown method or path is a 404 and recorded in
`unexpected`. `requests` and `calls(method, path)` return the requests with their authorization and status.
After a rename or transfer the old address redirects to `/repositories/{id}/…`.

Sign-in: `callback_urls` are the App's callback addresses, `client_secret` goes with `client_id`. `await
github.authorize(address, ana)` is a person's browser on GitHub's page; it returns the callback address with code
and state. `revoke_authorization(ana)` ends the person's tokens and sends `github_app_authorization`.
`user_tokens_expire`, `app_suspended` and an organization's `enforces_sso` with a person's `sso_sessions` change
what GitHub answers. `audit_log` has who changed an alert by the API.

Registering an App: a person's browser sends a manifest to `/settings/apps/new` or
`/organizations/ORG/settings/apps/new`, or opens these with URL parameters. The browser is
`integrations.sandbox.browser` with the cookie `COOKIE` of `sign_in`. The App that was created last
is the one under test, `app`; the sandbox's `app_id`, `client_id`, `webhook_url` and others are its fields. `apps` has
all. `/apps/SLUG/installations/new` installs it. `hosts` maps public addresses to a test's.

Directory, which GraphQL shows (its queries are counted by `graphql_limit`):
- `add_identity(octo, ana, "ana@octo.example")` adds an identity of the organization's identity provider;
  `add_identity(octo, None, …)` one that nobody has claimed;
- `octo.has_saml` without identities is a provider that has none; without it, the provider may be the enterprise's;
- `octo.verified_emails[ana.id]` are addresses in verified domains;
- `octo.hidden_fields` are refused.

`watch(callback)` reports every `GitHubChange`, with or without a webhook, for a page that shows GitHub live.

Faults and limits:
- `faults`: see `integrations.sandbox.faults`;
- `read_lag`, `alert.read_lag`: seconds until REST shows an alert;
- `revoke_delay`: seconds until a reported token stops working; `None`: never;
- `core_limit`, `unauthenticated_limit`, `lockout_after`, `webhook_timeout`.

Behaviour that GitHub doesn't document:
- `hidden_secret`: the value of `secret` under `hide_secret`; `None`: absent;
- `gives_first_location`: whether an alert has the optional `first_location_detected`;
- `validated_on_override`: whether recording a validity sends `validated`.
"""

from integrations.sandbox.github.apps import GitHubApp
from integrations.sandbox.github.authentication import generate_private_key
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.deliveries import WebhookDelivery
from integrations.sandbox.github.records import (
    Enterprise,
    ExternalIdentity,
    GitHubAlert,
    GitHubInstallation,
    GitHubRepository,
    GitHubTeam,
    GitHubUser,
    IdentityEmail,
    LiveToken,
    Location,
    Organization,
)
from integrations.sandbox.github.sandbox import GitHubSandbox
from integrations.sandbox.github.world import GitHubChange

__all__ = [
    "Enterprise",
    "ExternalIdentity",
    "GitHubAlert",
    "GitHubApp",
    "GitHubChange",
    "GitHubInstallation",
    "GitHubRepository",
    "GitHubSandbox",
    "GitHubTeam",
    "GitHubUser",
    "IdentityEmail",
    "LiveToken",
    "Location",
    "Organization",
    "RecordedRequest",
    "WebhookDelivery",
    "generate_private_key",
]
