"""A person who signs in to GitHub at a bot that runs as a process."""

import base64
import secrets

from integrations.sandbox.github import GitHubUser
from integrations.sandbox.slack import View
from tests.flows.sign_in import Browser, Shown, button_address
from tests.flows.stage import PUBLIC_URL
from tests.processes.scene import CHANNEL, Scene
from tests.processes.waiting import until

NEWCOMER = "U0NEW"


async def start_with_newcomer(scene: Scene) -> GitHubUser:
    """Start a bot at which people can sign in, with an admin of the repository who is in Slack and not linked."""
    account = scene.github.add_user("octo-new")
    scene.github.add_collaborator(scene.repository, account, "admin")
    scene.github.callback_urls = [f"{PUBLIC_URL}/github/callback"]
    scene.slack.workspace.add_user(NEWCOMER, name="octo-new")
    members = scene.slack.workspace.channels[CHANNEL].members | {NEWCOMER}
    scene.slack.workspace.change_channel(CHANNEL, members=members)
    scene.environment |= {
        "GITHUB_APP_CLIENT_ID": scene.github.client_id,
        "GITHUB_APP_CLIENT_SECRET": scene.github.client_secret,
        "STANCH_PUBLIC_URL": PUBLIC_URL,
        "STANCH_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    await scene.start()
    return account


async def open_window(scene: Scene) -> View:
    """Type `/leaks link`, and wait for the modal."""
    before = scene.slack.view(NEWCOMER)
    await scene.slack.command(NEWCOMER, CHANNEL, "link")
    found = await until(lambda: _another(scene.slack.view(NEWCOMER), before), "the modal is open")
    assert found is not None
    return found


def _another(view: View | None, before: View | None) -> View | None:
    return view if view is not None and (before is None or view.id != before.id) else None


async def sign_in(scene: Scene, newcomer: GitHubUser) -> tuple[View, Shown]:
    """Open the modal, and sign in at GitHub; returns the modal and the page with the code."""
    view = await open_window(scene)
    return view, await Browser(scene, newcomer).sign_in(button_address(view))


async def type_code(scene: Scene, view: View, code: str) -> None:
    await scene.submit(NEWCOMER, view, {"code": {"code": code}})
