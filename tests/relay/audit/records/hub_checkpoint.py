"""A checkpoint of a running hub at its head, by its node's word."""

from hutong.light_clients.tendermint.codec import decode_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust


async def checkpoint_of_hub(hub) -> Checkpoint:
    height = (await hub.head()).height
    encoded = await hub.bare_header(height)
    header = decode_header(encoded)
    trust = TendermintTrust(TrustLevel(1, 3), hub.merkle_prefix, ("smt",))
    return Checkpoint(
        hub.chain_id,
        ChainKind.TENDERMINT,
        height,
        header_hash(header),
        header.time_ns,
        86_400,
        10,
        {},
        trust,
        encoded,
    )
