"""Calls of a HubReader: records of the hub, with the proof that a chain's own HubClient takes."""

from dataclasses import dataclass
from random import Random
from typing import Any

from hutong.adapters.evm.administration.reader import newest_root
from hutong.adapters.evm.hub_reader import ShownRecords, encode_keep, encode_read, encode_read_many
from hutong.adapters.hub.proven_records import proven_records, with_epochs
from hutong.light_clients.records import Demand
from hutong.relay.administration.evm.access import Endpoint, open_endpoint


@dataclass(frozen=True, slots=True)
class CallTerms:
    """How old header and source may be, how much trust is asked, and whether the call keeps instead of reading.

    Raises:
        MalformedInput: an age or a trust that no reader takes.
    """

    max_age_s: int
    min_trust: int
    keep: bool

    def __post_init__(self) -> None:
        Demand(0, self.max_age_s, self.min_trust)


async def show_records(
    chain: Endpoint, reader: bytes, hub: Endpoint, keys: tuple[bytes, ...], random: Random
) -> ShownRecords:
    """Records, and the epochs of their clients, under the newest header of the hub that the reader's chain has.

    Args:
        reader: on that chain, 20 bytes.
        keys: of records, none twice.

    Raises:
        AdapterError: a node does not answer, has pruned that block, or serves what does not hold under the root.
        MalformedInput: too many keys, or one that only looks like an observation's.
    """
    async with open_endpoint(chain, random) as execution:
        height, root = await newest_root(execution, reader)
    async with open_endpoint(hub, random) as execution:
        claims, proof = await proven_records(execution, with_epochs(keys), height.revision_height, root)
    return ShownRecords.of(height, claims, proof)


def call_of(shown: ShownRecords, terms: CallTerms) -> dict[str, Any]:
    """The call as JSON: its function and calldata, and the arguments for contracts that make it themselves."""
    if terms.keep:
        name, data = "keep", encode_keep(shown)
    elif len(shown.records) == 1:
        name, data = "read", encode_read(shown, terms.max_age_s, terms.min_trust)
    else:
        name, data = "readMany", encode_read_many(shown, terms.max_age_s, terms.min_trust)
    return {
        "function": name,
        "data": f"0x{data.hex()}",
        "height": list(shown.height_fields),
        "records": [{"key": f"0x{key.hex()}", "value": f"0x{value.hex()}"} for key, value in shown.record_fields],
        "proof": proof_json(shown),
    }


def proof_json(shown: ShownRecords) -> dict[str, Any]:
    """`RecordProof` as JSON, by the names that its members have in Solidity."""
    epochs, (terminals, siblings) = shown.proof_fields
    return {
        "epochs": [{"clientId": client, "value": f"0x{value.hex()}"} for client, value in epochs],
        "nodes": {"terminals": f"0x{terminals.hex()}", "siblings": [f"0x{one.hex()}" for one in siblings]},
    }
