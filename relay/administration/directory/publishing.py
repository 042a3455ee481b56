"""Entries put, updated and withdrawn by a publisher's account: what stands on the hub decides which of them it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from hutong.relay.administration.clients.finality import until_final
from hutong.relay.administration.directory.reading import directory_record
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer
from hutong.relay.services.directory.rules.calls import DIRECTORY_ADDRESS, PUBLISH
from hutong.relay.services.directory.rules.log.operations import (
    EntryContent,
    GivenOperation,
    LoggedOperation,
    OperationKind,
    decode_logged,
    encode_operations,
)
from hutong.relay.services.directory.rules.records.keys import entry_id, entry_key

CALL_OPERATIONS: Final = 256
"""Of one transaction: half of the most, so that others come into the same block."""
PROOF_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """An entry as it is to be; without content it is to be withdrawn."""

    local: bytes
    content: EntryContent | None


@dataclass(frozen=True, slots=True)
class PublishedEntry:
    """An entry's id, and what was done with it; None where it stood so already."""

    entry: bytes
    done: OperationKind | None


def operation_for(wanted: WantedEntry, standing: LoggedOperation | None) -> GivenOperation | None:
    """What makes the entry as it is to be; None where it is so already."""
    is_there = standing is not None and standing.is_live
    follows = 0 if standing is None else standing.version
    if wanted.content is None:
        return GivenOperation(OperationKind.WITHDRAW, wanted.local, follows, None) if is_there else None
    if standing is not None and is_there and standing.content == wanted.content:
        return None
    kind = OperationKind.UPDATE if is_there else OperationKind.PUT
    return GivenOperation(kind, wanted.local, follows, wanted.content)


async def publish_entries(
    hub: HubChainConfig, signer: Signer, publisher: bytes, wanted: Sequence[WantedEntry], random: Random
) -> tuple[PublishedEntry, ...]:
    """Make entries as they are to be, in transactions of `CALL_OPERATIONS`, and wait until a header can prove the last.

    Raises:
        Declined: an entry is wanted twice.
        RefusedByChain: the hub refuses a call; those before it are done.
        AdapterError: the hub does not answer.
    """
    if len({one.local for one in wanted}) != len(wanted):
        raise Declined("an entry stands twice among these")
    async with open_hub(hub, random) as chain:
        given, done = [], []
        for one in wanted:
            raw = await directory_record(chain.execution, entry_key(entry_id(publisher, one.local)))
            operation = operation_for(one, None if raw is None else decode_logged(raw))
            done.append(PublishedEntry(entry_id(publisher, one.local), None if operation is None else operation.kind))
            if operation is not None:
                given.append(operation)
        sender, height = await transactor_of(chain, signer), 0
        for start in range(0, len(given), CALL_OPERATIONS):
            call = PUBLISH.encode(publisher, encode_operations(given[start : start + CALL_OPERATIONS]))
            height = (await sender.send(DIRECTORY_ADDRESS, call)).height
        if height:
            await until_final(chain, height + 1, "the block after the change", poll_s=PROOF_POLL_S)
    return tuple(done)
