"""`stanch backup` beside a running server, and a start on the backup."""

import aiohttp
import pytest

from tests.processes.bot import run_command
from tests.processes.scene import CHANNEL, RECOVERED, Scene
from tests.processes.test_beside import command
from tests.processes.waiting import until


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_backup_made_beside_the_server_is_restored_without_a_second_card(scene: Scene) -> None:
    await scene.start()
    await scene.leak()
    [made] = await command(scene, "backup", "backup.db")
    assert made.endswith(" is backed up to backup.db.")
    # The backup knows neither the second card nor what an operator did.
    await scene.leak()
    ts = [card.ts for card in scene.slack.cards(CHANNEL)]
    await command(scene, "identities", "remove", "U0OWNER")
    lost = (await command(scene, "audit", "verify"))[0].rpartition(" ")[2].rstrip(".")
    await scene.kill()
    restored = {"DATABASE_URL": f"sqlite+aiosqlite:///{scene.directory / 'backup.db'}"}
    # A process without a worker may start first.
    web = scene.new_bot("web", **restored)
    await web.start()
    await web.stop()
    bot = scene.new_bot(**restored)
    await bot.start()
    scene.point_at(bot)

    async def is_found() -> bool:
        async with aiohttp.ClientSession() as session, session.get(f"{bot.address}/metrics") as answer:
            return 'stanch_slack_messages_total{outcome="found_again"} 1.0' in await answer.text()

    await until(is_found, "the card is found", within=RECOVERED)
    assert [card.ts for card in scene.slack.cards(CHANNEL)] == ts
    ended = await run_command(
        {**scene.environment, **restored}, scene.directory, "audit", "verify", "--head", lost
    )
    assert ended.status == 1
    assert "that were written from " in ended.sentence
    await bot.stop()
