"""The refusals about what GitHub answers to a person's own token."""

from bot.errors import Refused
from bot.rules.case import PersonalCase
from bot.views.formatting import alert_name
from bot.views.refusals import WHOAMI, github_answer, github_reason
from integrations.github.errors import Forbidden, GitHubError, NotFound
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Repository


def not_shown(login: str, repository: Repository, help_words: Mrkdwn, error: GitHubError) -> Refused:
    """GitHub does not show the person the alert, whose card everybody in the channel sees: quotes it.

    `help_words` are those of `refusals.help_words`.
    """
    headline = f"GitHub doesn't let {login} see the alerts of {repository.full_name}."
    detail = t.lines(github_answer(error), help_words)
    hint = single_sign_on_hint(repository) or WHOAMI
    return Refused("no_role", headline, detail, hint, quoted=github_reason(error))


def change_refused(
    case: PersonalCase, verb_phrase: str, error: Forbidden | NotFound, there: str
) -> Refused | GitHubError:
    """GitHub refused a change of the alert: quotes it. `there` is the text of the link to the alert on GitHub.

    In the App's name only a 403 is an answer about the alert: an archived repository, delegated dismissal, a missing
    permission. Other errors are returned as they are. In the person's own name a 404 is an answer too.
    """
    name, link = alert_name(case.alert, case.repository), t.link(case.alert.html_url, there)
    why = t.lines(name, github_answer(error), link)
    quoted = github_reason(error)
    if case.own_name:
        headline = f"GitHub does not let you {verb_phrase}."
        return Refused("forbidden", headline, why, single_sign_on_hint(case.repository), quoted=quoted)
    if isinstance(error, Forbidden):
        return Refused("forbidden", f"GitHub does not let Stanch {verb_phrase}.", why, quoted=quoted)
    return error


def token_not_usable(setting: str) -> Refused:
    """A setting is missing with which the person's token was stored; until it is back nothing is done in any name."""
    return Refused(
        "token_not_usable",
        "Stanch can't use your sign-in to GitHub now, so nothing was done.",
        t.mrkdwn("Tell an operator of Stanch: {} is not set.", t.code(setting)),
    )


def single_sign_on_hint(repository: Repository) -> Mrkdwn:
    """What helps where the person's token has no session of the organization's single sign-on; empty without one."""
    if repository.owner_type != "Organization" or not repository.html_url:
        return Mrkdwn("")
    web = repository.html_url.removesuffix(f"/{repository.full_name}")
    page = t.link(f"{web}/orgs/{repository.owner.login}/sso", "Open its sign-in page")
    return t.mrkdwn(
        "Does {} use single sign-on? {}, then sign in again with `/leaks link`.",
        t.code(repository.owner.login),
        page,
    )
