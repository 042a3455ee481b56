"""An operator that dropped what it was given and answers the audit all the same: with a right place and made-up bytes, under its own key."""

import os
import shutil
from hashlib import sha256

import trio

from hutong.relay.demo.storage.operators import DemoOperator
from hutong.relay.keys import load_signer
from hutong.relay.local.processes import DemoFailed
from hutong.relay.services.storage.hub.node import StorageNode, open_storage_node
from hutong.relay.services.storage.operator.index import ShardIndex
from hutong.relay.services.storage.operator.operator_log import OperatorLog
from hutong.relay.services.storage.operator.settings import OperatorConfig, load_operator_config
from hutong.relay.services.storage.rules.audits.answers import LeafAnswer, encode_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.calls import SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.lifecycle.signed import DOMAIN, ProbeAnswers, struct_hash
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES
from hutong.relay.services.storage.rules.records.keys import seed_key, set_key
from hutong.relay.services.storage.rules.records.values import decode_seed_record, decode_set_record


async def drop(liar: DemoOperator) -> None:
    """Its process ends, and every shard that it had is gone; receipts and index stay."""
    if liar.program is not None:
        await liar.program.end()
    await trio.to_thread.run_sync(shutil.rmtree, liar.home / "shards", True)


async def lie(liar: DemoOperator, epoch: int) -> None:
    """Answer the epoch's first probe wrongly, signed as an operator signs.

    Raises:
        DemoFailed: it has nothing to lie about.
        HubRefused, HubSilent: the hub does not take the call.
    """
    config = await trio.to_thread.run_sync(load_operator_config, liar.config)
    if config.hub is None:
        raise DemoFailed("the liar follows no hub")
    signer = await trio.to_thread.run_sync(load_signer, config.operator.key)
    try:
        async with open_storage_node(config.hub, config.operator.chain_id, signer) as hub:
            octets = await _made_up(hub, config, liar, epoch)
            struct = ProbeAnswers(hub_id(config.operator.chain_id), liar.operator, epoch, 0, 1, sha256(octets).digest())
            signature = await signer.sign_typed_data(DOMAIN, struct_hash(struct))
            await hub.send(SUBMIT_ANSWERS.encode(liar.operator, epoch, 0, 1, octets, signature))
    finally:
        with trio.CancelScope(shield=True):
            await signer.aclose()


async def _made_up(hub: StorageNode, config: OperatorConfig, liar: DemoOperator, epoch: int) -> bytes:
    seed, held = await hub.record(seed_key(epoch)), await hub.record(set_key(liar.operator, epoch))
    if seed is None or held is None:
        raise DemoFailed(f"the hub asks the liar nothing in epoch {epoch}")
    drawn, asked = decode_seed_record(seed), decode_set_record(held).operator_set
    index = await trio.to_thread.run_sync(ShardIndex, config.operator.home)
    try:
        challenge = Challenge(drawn.seed, liar.operator, asked, drawn.probes)
        placed, _, at = OperatorLog(index).place_of_leaf(asked.size, probe_leaf(challenge, 0))
    finally:
        index.close()
    path = tuple(os.urandom(32) for _ in range(placed.entry.height))
    return encode_answers([LeafAnswer(placed, at, os.urandom(LEAF_BYTES), path)])
