"""The relay's queue: Redis Streams on a server of the operator's or on an embedded Valkey."""

from hutong.relay.dispatch.backoff import Backoff
from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.embedded import EmbeddedValkey
from hutong.relay.dispatch.errors import EmbeddedQueueMissing, QueueError, QueueUnavailable, RecordRefused
from hutong.relay.dispatch.letter import DeadLetter
from hutong.relay.dispatch.limits import QueueLimits
from hutong.relay.dispatch.queue import (
    CLAIM_AFTER_MS,
    MAX_DELIVERIES,
    TOUCH_EVERY_S,
    Enqueued,
    Queue,
    QueueStatistics,
)
from hutong.relay.dispatch.record import MAX_RECORD_BYTES, RECORD_VERSION, Job, JobKind, Route, decode_job, encode_job
from hutong.relay.dispatch.taken import Taken

__all__ = [
    "CLAIM_AFTER_MS",
    "MAX_DELIVERIES",
    "MAX_RECORD_BYTES",
    "RECORD_VERSION",
    "TOUCH_EVERY_S",
    "Backoff",
    "Connection",
    "DeadLetter",
    "EmbeddedQueueMissing",
    "EmbeddedValkey",
    "Enqueued",
    "Job",
    "JobKind",
    "Queue",
    "QueueError",
    "QueueLimits",
    "QueueStatistics",
    "QueueUnavailable",
    "RecordRefused",
    "Route",
    "Taken",
    "decode_job",
    "encode_job",
]
