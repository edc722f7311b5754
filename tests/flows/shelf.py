"""Many alerts in the store at once, as if their webhooks had come long ago."""

from dataclasses import replace
from typing import Any

from storage import alerts, repositories
from storage.records import Alert, AlertKey, AlertNumber, RepositoryId
from tests.flows.stage import Stage, key_of
from tests.storage.examples import plain_alert


async def shelve(stage: Stage, names: list[str], each: int = 1, **more: Any) -> list[Alert]:
    """Repositories that GitHub knows, with so many stored alerts each; the newest one is the last."""
    known = await stage.leak()
    stored: list[Alert] = []
    async with stage.context.db.begin() as tx:
        example = await repositories.load_repository(tx, key_of(known).repository_id)
        assert example is not None
        for name in names:
            real = stage.github.add_repository(stage.github.app_owner, name)
            full_name = f"{example.owner.login}/{name}"
            url = f"{stage.github.url}/{full_name}"
            home = replace(example, id=RepositoryId(real.id), full_name=full_name, html_url=url)
            await repositories.save_repository(tx, home)
            for number in range(1, each + 1):
                one = replace(
                    plain_alert(),
                    key=AlertKey(home.id, AlertNumber(number)),
                    html_url=f"{url}/security/secret-scanning/{number}",
                    created_at=tx.now - 1000.0 + len(stored),
                    updated_at=tx.now,
                    first_seen_at=tx.now,
                    detailed=True,
                )
                stored.append(replace(one, **more))
                await alerts.insert(tx, stored[-1])
    return stored
