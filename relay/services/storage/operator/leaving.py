"""The end of an operator: it takes nothing new while it drains, and lets everything go once the hub says that it has left."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import trio

from hutong.relay.keys import Signer
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.operator.hub_work import standing_of
from hutong.relay.services.storage.operator.index import HeldShard, Holding
from hutong.relay.services.storage.operator.scrub import PAGE
from hutong.relay.services.storage.operator.state import OpenHome
from hutong.relay.services.storage.rules.calls import DRAIN
from hutong.relay.services.storage.rules.lifecycle.signed import DOMAIN, DeletionReceipt, struct_hash
from hutong.relay.services.storage.rules.operator_api.documents import SignedDeletion, deletion_members
from hutong.relay.services.storage.rules.records.members import OperatorState

RECEIPTS_FILE: Final = "deletions.jsonl"


class NotLeft(Exception):
    """The hub does not say that the operator has left: its shards are not elsewhere yet. One sentence."""


@dataclass(frozen=True, slots=True)
class Left:
    """What was let go, and where the receipts of it are."""

    shards: int
    receipts: Path


async def drain_on_hub(hub: HubDoor, operator: bytes) -> OperatorState:
    """Have the hub give this operator nothing new, and return its state there. Asked again it does nothing.

    Raises:
        NotLeft: the hub does not know the operator.
        HubRefused, HubSilent: see `HubDoor`.
    """
    record = await standing_of(hub, operator)
    if record is not None and record.state is OperatorState.ACTIVE:
        await hub.send(DRAIN.encode(operator))
        record = await standing_of(hub, operator)
    if record is None:
        raise NotLeft("the hub does not know this operator")
    return record.state


async def leave(home: OpenHome, hub: HubDoor, signer: Signer, now_s: Callable[[], int]) -> Left:
    """Delete every shard, each with its receipt in `deletions.jsonl`. Killed, it goes on where it was.

    Raises:
        NotLeft: the hub does not say that this operator has left.
        HubSilent: it does not answer.
        EngineUnavailable: the engine does not; what was let go is written down.
    """
    operator = home.identity.operator
    record = await standing_of(hub, operator)
    if record is None or record.state is not OperatorState.LEFT:
        said = "does not know it" if record is None else f"says {record.state.name.lower()}"
        raise NotLeft(f"the hub {said}: have its shards repaired elsewhere, and governance say that it has left")
    receipts = home.config.operator.home / RECEIPTS_FILE
    count = 0
    while page := await trio.to_thread.run_sync(home.index.every_shard, None, PAGE):
        for held in page:
            deletion = DeletionReceipt(home.identity.hub, operator, held.key.pack, held.key.shard, held.root, now_s())
            signature = await signer.sign_typed_data(DOMAIN, struct_hash(deletion))
            await trio.to_thread.run_sync(_let_go, home, held, SignedDeletion(deletion, signature), receipts)
            count += 1
    return Left(count, receipts)


def _let_go(home: OpenHome, held: HeldShard, signed: SignedDeletion, receipts: Path) -> None:
    home.shelf.drop(held.key)
    with receipts.open("a") as file:
        file.write(json.dumps(deletion_members(signed)) + "\n")
    removed = replace(
        held,
        holding=Holding.REMOVED,
        damaged_at_s=None,
        deleted_at_s=signed.deletion.deleted_at_s,
        deletion=signed.signature,
    )
    home.index.put_shard(removed)
