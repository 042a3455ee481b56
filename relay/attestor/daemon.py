"""`hutong attest run`: everything from a configuration to a serving attestor, and its end in order."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from random import Random

import trio
from eth_utils.address import to_canonical_address

from hutong.adapters.ics26.execution import identify_execution
from hutong.adapters.interface import AdapterError
from hutong.adapters.rpc import AccessUnusable, RpcOptions, open_rpc_client
from hutong.light_clients.attestation import Scope
from hutong.relay.attestor.attestor import Attestor
from hutong.relay.attestor.endpoint import AttestorApp, serve_attestor
from hutong.relay.attestor.errors import AttestorUnusable
from hutong.relay.attestor.record import SignedHeights
from hutong.relay.attestor.source import SourceChain
from hutong.relay.config import AttestorConfig
from hutong.relay.keys import Signer, load_signer
from hutong.relay.keys.endpoint_access import read_access
from hutong.relay.telemetry import get_logger

ASK_AGAIN_S = 2.0
OPTIONS = RpcOptions(attempt_timeout_s=5.0, rounds=2, backoff_first_s=0.05, requests_per_s=2_000, burst=2_000)


async def run_attestor(config: AttestorConfig, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when it serves.

    Raises (maybe inside an exception group):
        AttestorUnusable, KeyUnavailable: with one sentence for the operator.
    """
    signer = await trio.to_thread.run_sync(load_signer, config.attestor.key)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, nursery.cancel_scope)
            await _serve(config, signer, on_ready)
    finally:
        with trio.CancelScope(shield=True):
            await signer.aclose()
    get_logger("attestor").info("stopped")


async def _serve(config: AttestorConfig, signer: Signer, on_ready: Callable[[str], None]) -> None:
    async with open_attestor(config, signer) as attestor, trio.open_nursery() as nursery:
        app = AttestorApp(attestor, signer.address, config.attestor.requests_per_s)
        served = await nursery.start(serve_attestor, config.attestor.http, app)
        on_ready(f"attestor {signer.address} of chain {config.source.chain_id} ready at {served}")


@asynccontextmanager
async def open_attestor(config: AttestorConfig, signer: Signer) -> AsyncIterator[Attestor]:
    """The attestor over its endpoints and its record, both closed with the block.

    Waits until the chain says which height is final: a new record begins there.

    Raises:
        AttestorUnusable: a secret of an endpoint cannot be read, or the record is not to be used.
    """
    source = config.source
    router = bytes(to_canonical_address(source.router))
    identify = partial(identify_execution, chain_id=source.chain_id)
    random = Random()  # noqa: S311  jitter between retries
    try:
        options = replace(OPTIONS, access=read_access(source.access))
    except AccessUnusable as error:
        raise AttestorUnusable(str(error)) from None
    async with open_rpc_client("source", source.rpc, random, options, identify) as client:
        chain = SourceChain(client, router, source.confirmations, len(source.rpc))
        final = await _final_height(chain)
        record = SignedHeights.open(config.attestor.home, str(source.chain_id), router, final)
        try:
            yield Attestor(chain, record, signer, scopes_of(config), source.poll_interval_ms / 1000)
        finally:
            record.close()


async def _final_height(chain: SourceChain) -> int:
    """A new record begins here: what was before its time it could have signed differently, and forgotten."""
    while True:
        try:
            return max(0, await chain.final_height())
        except AdapterError as error:
            get_logger("attestor").warning("waiting for the chain", reason=str(error))
            await trio.sleep(ASK_AGAIN_S)


def scopes_of(config: AttestorConfig) -> list[Scope]:
    """What this attestor signs for: one scope for each configured destination, in their order."""
    router = bytes(to_canonical_address(config.source.router))
    return [
        Scope(
            str(config.source.chain_id),
            router,
            destination.chain_id,
            bytes(to_canonical_address(destination.router)),
            destination.client,
        )
        for destination in config.destinations
    ]


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            get_logger("attestor").info("stopping", signal=signal.Signals(number).name)
            scope.cancel()
            return
