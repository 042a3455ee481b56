"""What the identity daemon's resolver asks of a hub: a DID's records in bundles, at the newest or an earlier moment."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from hutong.adapters.hub import HubChain
from hutong.adapters.interface import AdapterError, HeightUnavailable
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, UnsupportedOperation, VerificationError
from hutong.light_clients.tendermint.codec import decode_header
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.administration.identity.proving import places_of_did
from hutong.relay.archive.checkpoint import Checkpoint, decode_checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey
from hutong.relay.config import load_config
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.record_bundles import (
    BundledRecords,
    HeightNotProvable,
    HubSilent,
    HubSource,
    Moment,
)
from hutong.relay.services.identity.rules.records.keys import hub_name


class NodeBundles:
    """Of one hub that is open; see `BundledRecords`."""

    def __init__(self, chain: HubChain, checkpoint: Checkpoint | None) -> None:
        self._chain = chain
        self._checkpoint = checkpoint

    @property
    def hub(self) -> str:
        """See `BundledRecords`."""
        return hub_name(self._chain.chain_id)

    async def of_did(self, did: bytes, moment: Moment, schema: bytes | None) -> RecordBundle:
        """See `BundledRecords`. Keys that came after the moment are shown absent.

        Raises:
            HeightNotProvable, HubSilent: it cannot be shown.
        """
        try:
            at = await self._proof_height(moment)
            places = await places_of_did(self._chain.execution, did, schema)
            exporter = (
                await RecordExporter.of_hub(self._chain)
                if self._checkpoint is None
                else RecordExporter.from_checkpoint(self._chain, self._checkpoint)
            )
            return await exporter.export([RecordKey(place) for place in places], at)
        except HeightUnavailable as error:
            raise HeightNotProvable(str(error)) from None
        except (AdapterError, VerificationError, UnsupportedOperation) as error:
            raise HubSilent(str(error)) from None

    async def _proof_height(self, moment: Moment) -> int | None:
        """The header that has the moment's state: the one after its block. None: the newest.

        Raises:
            HeightNotProvable: the moment is before the first block or after the newest proof.
            AdapterError: the hub does not answer, or a header of the search is not kept.
        """
        if moment.is_newest:
            return None
        head = (await self._chain.head()).height
        block = moment.height
        if block is None:
            block = await self._newest_until(moment.time_s or 0, head)
        if block >= head:
            raise HeightNotProvable(f"the state after block {block} is proven by the next one; the newest is {head}")
        return block + 1

    async def _newest_until(self, time_s: int, head: int) -> int:
        """The newest block of which the time is not after `time_s`, by halves."""
        low, high = 1, head
        if await self._time_s(1) > time_s:
            raise HeightNotProvable("that is before the hub's first block")
        while low < high:
            middle = (low + high + 1) // 2
            if await self._time_s(middle) <= time_s:
                low = middle
            else:
                high = middle - 1
        return low

    async def _time_s(self, height: int) -> int:
        return decode_header(await self._chain.bare_header(height)).time_ns // NANOSECONDS_PER_SECOND


@asynccontextmanager
async def open_records(source: HubSource) -> AsyncIterator[BundledRecords]:
    """Records of a hub, while the block lasts.

    Raises:
        RoleUnusable: a file cannot be read, or the hub is not in it, does not answer or is another one.
    """
    try:
        hub = hub_of(load_config(source.relay), source.hub)
        checkpoint = None if source.checkpoint is None else decode_checkpoint(source.checkpoint.read_bytes())
    except (OSError, ValueError, Unusable, VerificationError) as error:
        raise RoleUnusable(f"[resolver]: {error}") from None
    if checkpoint is not None and checkpoint.chain_id != hub.chain_id:
        raise RoleUnusable(f"[resolver]: the checkpoint is of {checkpoint.chain_id}, the hub is {hub.chain_id}")
    random = Random(os.urandom(16))  # noqa: S311 - jitter between retries
    async with open_hub(hub, random) as chain:
        yield NodeBundles(chain, checkpoint)
