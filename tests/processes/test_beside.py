"""Commands of the command line beside a running server, on one database."""

from tests.processes.bot import Ended, run_command
from tests.processes.scene import CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

PAYMENTS = "C0PAY"


async def command(scene: Scene, *words: str) -> list[str]:
    """Run a command and return its output."""
    ended: Ended = await run_command(scene.environment, scene.directory, *words)
    assert (ended.status, ended.errors) == (0, ""), ended
    return ended.output.splitlines()


async def test_operators_work_beside_the_server(scene: Scene) -> None:
    scene.slack.workspace.add_user("U0NEW", name="newcomer")
    scene.slack.workspace.add_channel(PAYMENTS, name="payments", members=["U0NEW"])
    newcomer = scene.github.add_user("newcomer")
    await scene.start()
    await scene.leak()
    # 1. A new identity, in the workspace that the server knows; the person is told.
    [line] = await command(scene, "identities", "add", "U0NEW", "newcomer")
    linked, _, since = line.rpartition("\t")
    assert linked == f"{scene.slack.team_id}\tU0NEW\tnewcomer\t{newcomer.id}\tmapping"
    assert since.startswith("20")
    await until(
        lambda: any("newcomer" in words for words in scene.answers_to("U0NEW")), "told", within=RECOVERED
    )
    # 2. A channel of its own for one repository, from the next alert on.
    await command(scene, "subscriptions", "add", PAYMENTS, "repo:octo/payments")
    scene.github.leak(scene.repository, token=scene.live_token())
    await until(lambda: scene.slack.cards(PAYMENTS), "the card is in the new channel", within=RECOVERED)
    # 3. The writes of both are there: the end of a command does not remove the server's SQLite write-ahead log.
    await scene.submit_close()
    await until(lambda: "Closed as revoked" in scene.card(CHANNEL).shown_text, "closed", within=RECOVERED)
    await scene.idle()
    [verified] = await command(scene, "audit", "verify")
    assert verified.startswith("4 rows verify; the head is ")
    assert len(await command(scene, "audit", "export")) == 4
    assert await command(scene, "jobs", "retry", "--all") == ["0 jobs run again."]
    await scene.bot.stop()
    [again] = await command(scene, "audit", "verify")
    assert again == verified
