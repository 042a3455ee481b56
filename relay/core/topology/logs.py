"""Adapters of the signed logs of a configuration."""

from contextlib import AbstractAsyncContextManager
from random import Random

from hutong.adapters.rpc import RpcOptions
from hutong.adapters.tlog import LogSettings, LogSource, open_log_source
from hutong.relay.config.logs import LogConfig
from hutong.relay.keys.endpoint_access import read_access


def open_log(log: LogConfig, random: Random) -> AbstractAsyncContextManager[LogSource]:
    """The adapter of a configured log, for as long as the block lasts.

    Raises:
        AccessUnusable: a token, header, certificate or authority of its endpoints cannot be read.
    """
    said = log.endpoints
    options = RpcOptions(
        attempt_timeout_s=said.attempt_timeout_ms / 1000,
        rounds=said.rounds,
        backoff_first_s=said.backoff_first_ms / 1000,
        backoff_most_s=said.backoff_most_ms / 1000,
        requests_per_s=log.requests_per_s,
        burst=said.burst or max(50, log.requests_per_s // 4),
        quarantine_s=said.quarantine_s,
        mismatch_quarantine_s=said.mismatch_quarantine_s,
        max_concurrency=said.max_concurrency,
        access=read_access(log.access),
    )
    return open_log_source(LogSettings(log.name, log.url, log.trust, log.poll_interval_ms / 1000, options), random)
