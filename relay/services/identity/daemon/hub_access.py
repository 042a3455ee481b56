"""A hub as a role reaches it to read records and to write by an organisation's account: the members of its table, and the chain."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.config import AnyKeyConfig
from hutong.relay.config.fields import HttpUrls, HubChainId, Model
from hutong.relay.services.hub_access import open_service_hub

IDENTITY_ADDRESS: Final = bytes.fromhex("0000000000000000000000000000000000001006")
GET_RECORD: Final = Function("getRecord", ("bytes",), ("bytes",))
_DID = re.compile(r"did:hutong:[A-Za-z0-9_-]{1,50}:[0-9a-f]{64}")


def _check_did(did: str) -> str:
    if _DID.fullmatch(did) is None:
        raise ValueError("must be did:hutong:<hub>:<64 lower-case hexadecimal digits>")
    return did


class HubAccess(Model):
    """The hub, the organisation's DID on it, and the account of its log key there."""

    did: Annotated[str, AfterValidator(_check_did)]
    chain_id: HubChainId
    rpc: HttpUrls
    consensus_rpc: HttpUrls
    account: AnyKeyConfig
    """Of the key with purpose *log*, which writes records and signs nothing else."""
    interval_s: Annotated[int, Field(ge=1, le=3_600)] = 1
    """How often the hub is looked at while nothing happens."""

    @property
    def did_bytes(self) -> bytes:
        """The 32 bytes of the DID."""
        return bytes.fromhex(self.did.rpartition(":")[2])


class RpcIdentityModule:
    """The identity module of a hub by a node's RPC, for the account of the transactor."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of identity, by the node's word; None where the hub has no such record.

        Raises:
            AdapterError: the hub does not answer.
        """
        answer = await self._transactor.execution.call(IDENTITY_ADDRESS, GET_RECORD.encode(key))
        (value,) = GET_RECORD.decode(answer)
        return value or None

    async def send(self, call: bytes) -> None:
        """One call of the module; returns once it is in a block.

        Raises:
            RefusedByChain: the hub refuses it.
            AdapterError: the hub does not answer.
        """
        await self._transactor.send(IDENTITY_ADDRESS, call)


@asynccontextmanager
async def open_configured_hub(hub: HubAccess) -> AsyncIterator[HubChain]:
    """The hub of a table, its identity checked, while the block lasts.

    Raises:
        AdapterError: it does not answer, or its endpoints serve another chain.
    """
    async with open_service_hub(hub.chain_id, hub.rpc, hub.consensus_rpc) as chain:
        await chain.check_identity()
        yield chain
