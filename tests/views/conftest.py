"""Golden files: the messages and modals sent to Slack, one JSON file per state."""

import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.location import PyTestLocation


class GoldenFile(JSONSnapshotExtension):
    """`golden/card/closed-revoked.json`: a folder per test, a file per parameter.

    `pytest tests/views --snapshot-update` writes them again. Their diff shows what people will read.
    """

    def serialize(self, data: Any, **_: Any) -> str:
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "golden" / test_location.methodname[len("test_") :])

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: Any) -> str:
        return test_location.snapshot_name_parametrized.partition("[")[2].removesuffix("]")

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """Name a file after its test, so that a file without a test is reported."""
        path, collection = Path(snapshot_location), SnapshotCollection(location=snapshot_location)
        collection.add(Snapshot(name=f"test_{path.parent.name}[{path.stem}]"))
        return collection

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        return snapshot_location == cls.get_location(test_location=test_location, index=0)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The golden file of a parametrized test, named by its id."""
    return snapshot.use_extension(GoldenFile)
