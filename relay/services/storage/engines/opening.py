"""The engine of a configuration: which kind, where, and by what it is durable.

Example:

    [engine]
    folder = "shards"                    # or a bucket; which S3 engine, the environment says (AWS_ENDPOINT_URL_S3, …)
    # bucket = "s3://shards/operator-7"
    # durable_by = "journal"             # of a bucket: journal, disk or answer
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.storage.engines.bucket import open_bucket
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.durability import DeclaredDurable, Journaled, SyncedByDisk
from hutong.relay.services.storage.engines.engine import Engine


class EngineConfig(Model):
    """Where shards lie: in a folder or in a bucket."""

    folder: FilePath | None = None
    bucket: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """`s3://bucket/prefix`."""
    durable_by: Literal["journal", "disk", "answer"] | None = None
    """How a bucket outlives a crash: by a synced copy of our own for a while, by syncing the disk that its engine writes to,
    or because the engine syncs before it answers, as hosted stores say they do."""
    disk: FilePath | None = None
    """Of `durable_by = "disk"`: any folder on that disk."""

    @model_validator(mode="after")
    def _one_place_made_durable(self) -> Self:
        if (self.folder is None) == (self.bucket is None):
            raise ValueError("needs a folder or a bucket, one of the two")
        if self.bucket is not None and self.durable_by is None:
            raise ValueError(
                'needs durable_by: "journal" where you are not sure, "disk" with the engine on this machine'
            )
        if self.folder is not None and self.durable_by is not None:
            raise ValueError("has durable_by, which is for buckets: a folder is synced by the operator itself")
        if (self.durable_by == "disk") != (self.disk is not None):
            raise ValueError('needs disk with durable_by = "disk", and nowhere else')
        return self


def open_engine(config: EngineConfig, home: Path) -> Engine:
    """The engine, durable before it returns from a write. Nothing is asked of it yet.

    Args:
        home: of the operator; a journal is kept there.

    Raises:
        EngineUnavailable: a location that cannot be one, or a library that is missing.
    """
    if config.bucket is None:
        return DirectoryEngine(config.folder or home / "shards")
    bucket = open_bucket(config.bucket)
    if config.durable_by == "answer":
        return DeclaredDurable(bucket)
    if config.disk is not None:
        return SyncedByDisk(bucket, config.disk)
    return Journaled(bucket, home / "journal")
