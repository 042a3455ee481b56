"""Calls of the identity module of a hub: what controllers approve, and what a log key's account writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.interface import NotSupported, RefusedByChain
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.administration.clients.finality import until_final
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.administration.identity.reading import identity_record
from hutong.relay.config import HubChainConfig
from hutong.relay.hub.application.abi import Function
from hutong.relay.hub.application.identity.approving import call_hash
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.organisations.approvals import DOMAIN_TYPE, MODULE_ADDRESS, OPERATION_TYPE
from hutong.relay.services.identity.rules.records.did_record import DidRecord, decode_did_record
from hutong.relay.services.identity.rules.records.keys import did_key, hub_name

PROOF_POLL_S = 0.1
_UNKNOWN_ALGORITHM = "key.algorithm"
"""In the words of a hub that refuses a key: this code reads no other algorithm from a file than SM2 that one may lack."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One call that controllers of a DID approve: the function, and the values after the approval."""

    did: bytes
    function: Function
    values: tuple[Any, ...]

    @property
    def call(self) -> bytes:
        """Keccak-256 of what is approved."""
        return call_hash(self.function.selector, encode_abi(self.function.arguments[1:], self.values))


async def call_identity(hub: HubChainConfig, signer: Signer, data: bytes, random: Random) -> Receipt:
    """Send one call of the module and wait until a header can prove what it wrote, which is that of the next block.

    Raises:
        NotSupported: a key of an algorithm that the hub's rules version does not have.
        RefusedByChain: the hub refuses it.
        AdapterError: the hub does not answer, or makes no next block.
    """
    async with open_hub(hub, random) as chain:
        try:
            receipt = await (await transactor_of(chain, signer)).send(IDENTITY_ADDRESS, data)
        except RefusedByChain as error:
            if _UNKNOWN_ALGORITHM not in error.reason:
                raise
            raise NotSupported(
                f"keys of SM2 on {hub.name}, whose rules version is below {rules_versions.SM2_KEYS}"
                " (docs/member/upgrading.md)"
            ) from error
        await until_final(chain, receipt.height + 1, "the block after the change", poll_s=PROOF_POLL_S)
        return receipt


async def read_did(hub: HubChainConfig, did: bytes, random: Random) -> DidRecord:
    """The record of a DID, by the node's word.

    Raises:
        Declined: it is not registered.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        raw = await identity_record(chain.execution, did_key(did))
    if raw is None:
        raise Declined(f"{did.hex()} is not registered on {hub.name}")
    return decode_did_record(raw)


async def decide(
    hub: HubChainConfig, signer: Signer, decision: Decision, signatures: Sequence[bytes], random: Random
) -> Receipt:
    """Send what controllers decided; the account that sends it approves by that, if it is one of them.

    Args:
        signatures: of other controllers, 65 bytes each, in the order of their accounts.

    Raises:
        Declined: the DID is not registered.
        RefusedByChain: the hub refuses it, such as `NotApproved`.
    """
    record = await read_did(hub, decision.did, random)
    data = decision.function.call((decision.did, record.sequence, list(signatures)), *decision.values)
    return await call_identity(hub, signer, data, random)


async def typed_data(hub: HubChainConfig, decision: Decision, random: Random) -> dict[str, Any]:
    """What other controllers sign, as the JSON of EIP-712 that wallets take.

    Raises:
        Declined: the DID is not registered.
    """
    record = await read_did(hub, decision.did, random)
    return {
        "types": {"EIP712Domain": _members(DOMAIN_TYPE), "Operation": _members(OPERATION_TYPE)},
        "primaryType": "Operation",
        "domain": {
            "name": "hutong identity",
            "version": "1",
            "verifyingContract": f"0x{MODULE_ADDRESS.hex()}",
            "salt": f"0x{keccak256(hub_name(hub.chain_id).encode()).hex()}",
        },
        "message": {
            "did": f"0x{decision.did.hex()}",
            "registeredHeight": str(record.registered.height),
            "sequence": str(record.sequence),
            "call": f"0x{decision.call.hex()}",
        },
    }


def _members(written: str) -> list[dict[str, str]]:
    inside = written[written.index("(") + 1 : -1]
    return [dict(zip(("type", "name"), member.split(), strict=True)) for member in inside.split(",")]
