"""What a load balancer and Prometheus get while the database can't be used."""

import pytest
import sqlalchemy as sa

from tests.flows.stage import Stage

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER TABLE message RENAME TO gone", "message"),
        ("UPDATE alembic_version SET version_num = '0001'", "not migrated; run stanch migrate"),
    ],
)
async def test_readyz_names_the_fault_of_the_database_and_metrics_go_on(
    stage: Stage, change: str, reason: str
) -> None:
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text(change))
    async with stage.context.session.get(stage.address("/readyz")) as response:
        told = await response.json()
    assert (response.status, told["ready"], told["database"]["state"]) == (503, False, "failing")
    assert reason in told["database"]["reason"]
    async with stage.context.session.get(stage.address("/metrics")) as response:
        assert response.status == 200
        assert "stanch_jobs_finished_total" in await response.text()
