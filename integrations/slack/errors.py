"""Errors of calls to Slack: one class per reaction of the caller, and Slack's error codes for each."""


class SlackError(Exception):
    """A call to Slack failed. `method` is Slack's name of the method; `code` is Slack's error code or one of ours.

    `str()` is one sentence without a body, a token or an address.
    """

    def __init__(self, method: str, code: str, detail: str | None = None) -> None:
        super().__init__(f"Slack's answer to {method} was {code}{f' ({detail})' if detail else ''}.")
        self.method = method
        self.code = code


class SlackRateLimited(SlackError):
    """A rate limit is reached: Slack did nothing, and we must wait `retry_after` seconds."""

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class SlackUncertain(SlackError):
    """No response, or an internal error of Slack's: the call may or may not have been carried out."""


class SlackUntrusted(SlackUncertain):
    """The server's certificate is not trusted on this machine; nothing was sent."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(method, "certificate_not_trusted", reason)
        self.reason = reason


class TooManyMessages(SlackUncertain):
    """There are more messages than we read, so the message may exist among the rest."""


class SlackUnauthorized(SlackError):
    """Slack does not accept the token, or the token lacks a scope; an operator must correct it."""


class ChannelUnavailable(SlackError):
    """The bot can't read or write this channel now: not invited, archived, restricted, or deleted."""


class MessageGone(SlackError):
    """The message or its thread was deleted, or Slack no longer lets us change it."""


class ViewGone(SlackError):
    """The view was closed or changed, or its trigger is used up or expired."""


class PersonUnavailable(SlackError):
    """Slack shows us no person with this user id, or can't deliver a message to them here."""


class ResponseUrlGone(SlackError):
    """The `response_url` is used up, or older than 30 minutes."""


class Rejected(SlackError):
    """Slack refuses this request, and would again: a bug of ours."""


DEFAULT_RETRY_AFTER = 30.0
"""Seconds to wait after a rate limit for which Slack gives no time."""

_RATE_LIMITS = ("ratelimited", "rate_limited", "message_limit_exceeded")
# Slack's docs: the error codes listed for each method that we call.
_CODES: dict[type[SlackError], tuple[str, ...]] = {
    SlackUncertain: (
        *("fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"),
        "update_failed",
    ),
    SlackUnauthorized: (
        *("invalid_auth", "not_authed", "not_allowed_token_type", "token_expired", "token_revoked"),
        *("access_denied", "account_inactive", "missing_scope", "no_permission", "org_login_required"),
        *("team_access_not_granted", "two_factor_setup_required"),
    ),
    ChannelUnavailable: (
        *("channel_not_found", "is_archived", "not_in_channel", "team_not_found"),
        # Slack's docs of chat.postMessage: "your admins have disabled sending messages to this channel".
        "ekm_access_denied",
        # Slack's docs of chat.update: "cannot be edited within a frozen, archived or deleted channel".
        "is_inactive",
        *("app_access_restricted", "channel_is_limited_access", "posting_to_channel_denied"),
        *("restricted_action", "restricted_action_non_threadable_channel"),
        *("restricted_action_read_only_channel", "restricted_action_thread_locked"),
        *("restricted_action_thread_only_channel", "slack_connect_file_link_sharing_blocked"),
        *("external_channel_migrating", "messages_tab_disabled", "method_not_supported_for_channel_type"),
    ),
    MessageGone: (
        *("message_not_found", "thread_not_found"),
        *("cannot_reply_to_message", "cant_update_message", "edit_window_closed"),
    ),
    ViewGone: (
        *("exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"),
        *("hash_conflict", "not_found", "push_limit_reached"),
    ),
    PersonUnavailable: (
        *("cannot_dm_bot", "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible"),
        "users_not_found",
    ),
}


def error_from_code(method: str, code: str, detail: str | None = None) -> SlackError:
    """Return the error for Slack's error code; `Rejected` for an unknown one."""
    if code in _RATE_LIMITS:
        return SlackRateLimited(method, code, DEFAULT_RETRY_AFTER)
    for kind, codes in _CODES.items():
        if code in codes:
            return kind(method, code, detail)
    return Rejected(method, code, detail)


def retry_after_seconds(retry_after_header: str | None) -> float:
    """Return the seconds to wait after HTTP 429. Slack's docs: a whole number of seconds in `Retry-After`."""
    header = retry_after_header or ""
    return float(header) if header.isascii() and header.isdigit() else DEFAULT_RETRY_AFTER
