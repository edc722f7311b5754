"""The words of the doctor's results: by code, what was found and what to do about it."""

from collections.abc import Mapping

GROUP_TITLES: Mapping[str, str] = {
    "settings": "Settings",
    "database": "Database",
    "queue": "Queue",
    "people": "People",
    "slack": "Slack",
    "channels": "Channels",
    "github": "GitHub",
    "webhooks": "Webhooks",
    "repositories": "Repositories",
    "address": "Public address",
}
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "settings.ok": ("complete and well-formed", ""),
    "settings.malformed": (
        "{sentence}.",
        "Correct it in the environment or in .env; stanch setup fills in what is missing.",
    ),
    "settings.questionable": ("{subject}: {advice}.", "Correct it in the environment or in .env."),
    "settings.only_in_file": (
        "{subject} is set in {file} alone, where it has no effect.",
        "Set it in the environment of the process, as by systemd's Environment= or by export.",
    ),
    "settings.no_certificates": (
        "{subject} names {file}, which is not there or holds no certificate.",
        "Name a PEM file with the certificates of the authorities to trust, or unset it.",
    ),
    "settings.open_file": (
        "{subject} holds secrets and can be read by others (mode {mode}).",
        "chmod 600 {subject}",
    ),
    "settings.stream_not_writable": (
        "{subject} names {file}, which can't be written by this user: rows of the audit log are missing there.",
        "Give that user the file and its folder, or name another file.",
    ),
    "settings.no_default_channel": (
        "{subject} is not set: alerts that no subscription takes are shown nowhere.",
        "Set it to the id of a channel with the bot in it, as C012AB3CD.",
    ),
    "settings.no_audit_key": (
        "{subject} is not set: anybody who can write to the database can rewrite the audit log.",
        "Before the first start, set it to the output of openssl rand -hex 32.",
    ),
    "settings.no_encryption_keys": (
        "{subject} is not set: people's tokens are dropped after the sign-in, and GitHub shows the App's name.",
        "Set it to the output of openssl rand -base64 32.",
    ),
    "settings.no_sign_in": ("People can't sign in: {subject} is not set, so operators link them.", ""),
    "settings.same_secret": ("{subject} is the same as {new}, so nothing is being replaced.", "Remove it."),
    "settings.old_secret": (
        "{subject} is still accepted besides {new}; no request was seen that was signed with it.",
        "Remove it and restart all processes, once all requests are signed with {new}.",
    ),
    "settings.old_secret_used": (
        "{subject} is still accepted besides {new}, and was last used at {at} UTC.",
        "Remove it and restart all processes, once it is no longer used.",
    ),
}
_DATABASE: Mapping[str, tuple[str, str]] = {
    "database.ok": ("{subject}, with the schema of version {version}", ""),
    "database.empty": ("{subject} has no tables yet; the first start creates them.", ""),
    "database.no_folder": (
        "The folder {folder} of {subject} does not exist.",
        "Create it, or correct DATABASE_URL.",
    ),
    "database.not_writable": (
        "{subject} or its folder {folder} can't be written by this user.",
        "Run as the user that the file belongs to, or give that user the folder.",
    ),
    "database.on_network": (
        "{subject} is on a file system of another machine ({system}), where SQLite's locks can't be relied on.",
        "Move it to a disk of this machine, or use PostgreSQL.",
    ),
    "database.open_file": ("{subject} can be read by others (mode {mode}).", "chmod 600 {subject}"),
    "database.little_space": (
        "Only {megabytes} MB are free in {subject}.",
        "Make room there: without it nothing that comes in can be stored.",
    ),
    "database.unreachable": ("{reason}.", "Correct DATABASE_URL, or start the database."),
    "database.not_migrated": (
        "{subject} has the schema of version {version}.",
        "Run stanch migrate, or start stanch serve, which does it too.",
    ),
    "database.newer": (
        "{subject} was last used by a newer version of Stanch.",
        "Install that version again, or restore a backup from before it.",
    ),
    "database.move_unfinished": (
        "A move from {source} to {subject} was begun and has not ended.",
        "Set DATABASE_URL to the former database, and run stanch migrate --to-new again.",
    ),
    "database.other_audit_key": (
        "The last row of the audit log in {subject} was not made with this STANCH_AUDIT_KEY.",
        "Set the key with which the log was begun, then run stanch audit verify.",
    ),
}
_QUEUE: Mapping[str, tuple[str, str]] = {
    "queue.ok": ("jobs that wait or run: {number}", ""),
    "queue.parked": (
        "Jobs that failed repeatedly and are parked: {number} ({names}).",
        "stanch jobs list gives the reasons; mend the cause, then run stanch jobs retry --all.",
    ),
    "queue.waiting": (
        "Jobs that could run have been waiting for {minutes} minutes; jobs that wait in all: {number}.",
        "Start stanch serve, with --role all or worker; if it runs, look into its log.",
    ),
    "queue.blocked": (
        "Messages that wait for a channel that can't take them: {number} ({names}).",
        "See Channels below; once a channel can take them, the messages follow by themselves.",
    ),
    "queue.uncertain": (
        "Messages of the last day that may or may not be in their channel: {number}.",
        "The log names them as uncertain_post: look into those channels.",
    ),
}
_PEOPLE: Mapping[str, tuple[str, str]] = {
    "people.ok": ("linked: {number}", ""),
    "people.nobody_linked": (
        "Nobody is linked to a GitHub account, so every click is refused.",
        "Let people type /leaks link, or run stanch identities add SLACK_USER GITHUB_LOGIN.",
    ),
    "people.contested": (
        "People about whose link sources disagree, and who have no rights until you decide: {number} ({names}).",
        "Run stanch identities add or remove for each; docs/operate.md says how to decide.",
    ),
    "people.unreadable_tokens": (
        "People whose GitHub token no key of STANCH_ENCRYPTION_KEYS decrypts: {number} ({names}).",
        "Set the key again that was removed; without it they have to sign in again.",
    ),
    "people.operator_left": (
        "The operator {subject} is deactivated in Slack.",
        "Remove it from STANCH_OPERATORS.",
    ),
    "people.operator_unknown": ("Slack knows no user {subject}.", "Correct STANCH_OPERATORS."),
    "people.operator_not_linked": (
        "The operator {subject} is not linked to a GitHub account, and can't act on alerts.",
        "Type /leaks link as that user, or run stanch identities add {subject} GITHUB_LOGIN.",
    ),
}
_ADDRESS: Mapping[str, tuple[str, str]] = {
    "address.ok": ("{subject} leads to Stanch", ""),
    "address.not_asked": ("{subject} gives no answer, and no server runs.", ""),
    "address.no_answer": (
        "{subject} gives no answer from here, although a server runs.",
        "Let the proxy pass /github/link and /github/callback to HOST and PORT of stanch serve.",
    ),
    "address.not_found": (
        "The host of {subject} is not known here.",
        "Correct STANCH_PUBLIC_URL, or its DNS entry.",
    ),
    "address.certificate": (
        "The certificate of {subject} is not trusted here ({reason}).",
        "Install one that people's browsers trust; if they do, name its authority in SSL_CERT_FILE.",
    ),
    "address.other_server": (
        "{subject}/github/link is not answered by Stanch (status {status}).",
        "Let the proxy pass /github/link and /github/callback on as they are.",
    ),
}
OURS: Mapping[str, tuple[str, str]] = {**_SETTINGS, **_DATABASE, **_QUEUE, **_PEOPLE, **_ADDRESS}
"""Text and remedy of what concerns this machine; the remedy is empty where nothing has to be done."""
