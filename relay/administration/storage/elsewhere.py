"""A verdict of the hub's storage audits, put before another chain: a StorageAudit of an EVM chain, or a stock client of a Cosmos chain."""

import base64
from dataclasses import dataclass
from random import Random
from typing import Any

from hutong.adapters.cosmos.reading.membership import verify_membership
from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.administration.reader import newest_root
from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.storage_audit import (
    HUB_READER,
    REQUIRE_PASSED,
    AuditTerms,
    encode_claim,
    encode_require_passed,
)
from hutong.adapters.hub.proven_records import proven_records
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import Proof, RefusedByChain
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, Height
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.evm.reader_calls import proof_json
from hutong.relay.config import CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import Outcome, VerdictRecord, decode_verdict_record


@dataclass(frozen=True, slots=True)
class WantedVerdict:
    """Whose audit (32 bytes), and of which epoch."""

    operator: bytes
    epoch: int

    @property
    def key(self) -> bytes:
        """Of the hub's record."""
        return keys.verdict_key(self.operator, self.epoch)


@dataclass(frozen=True, slots=True)
class JudgedVerdict:
    """What a chain makes of a verdict.

    `header` is the hub's, under which it was shown; `refusal` is None where it counts, else the rule's name and a sentence;
    `call` is what contracts or modules of that chain are given, as JSON.
    """

    verdict: VerdictRecord
    header: Height
    judge: str
    refusal: tuple[str, str] | None
    call: dict[str, Any]


async def verdict_on_evm(
    evm: EvmChainConfig, audit: bytes, hub: HubChainConfig, wanted: WantedVerdict, terms: AuditTerms, random: Random
) -> JudgedVerdict:
    """What the StorageAudit at `audit` (20 bytes) says, by a call that sends nothing.

    Raises:
        Declined: the chain knows no header of the hub under which there is such a verdict.
        AdapterError: a chain does not answer, is another one, or has no StorageAudit there.
        MalformedInput: the hub's record is not a verdict.
    """
    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        shown = await _shown_to_evm(chain, audit, hub, wanted, random)
        data = encode_require_passed(wanted.operator, wanted.epoch, shown, terms)
        refusal = None
        try:
            REQUIRE_PASSED.decode(await chain.execution.call(audit, data))
        except RefusedByChain as error:
            refusal = (error.name, error.reason)
    (record,) = shown.records
    call = {
        "to": f"0x{audit.hex()}",
        "data": f"0x{data.hex()}",
        "value": f"0x{record.value.hex()}",
        "proof": proof_json(shown),
        "height": list(shown.height_fields),
    }
    return JudgedVerdict(decode_verdict_record(record.value), shown.height, "StorageAudit", refusal, call)


async def claim_on_evm(
    evm: EvmChainConfig,
    audit: bytes,
    hub: HubChainConfig,
    wanted: WantedVerdict,
    escrow: tuple[bytes, int],
    signer: Signer,
    random: Random,
) -> str:
    """Send `claim` of an escrow that is made as ExampleStorageEscrow; returns the transaction's hash.

    Args:
        escrow: its address, 20 bytes, and the number of the deal there.

    Raises:
        RefusedByChain: the escrow does not pay; nothing was sent.
        Declined, AdapterError: as `verdict_on_evm`.
    """
    address, deal = escrow
    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        shown = await _shown_to_evm(chain, audit, hub, wanted, random)
        sender = Transactor(chain.execution, evm.chain_id, signer)
        receipt = await sender.send(address, encode_claim(deal, wanted.epoch, shown))
    return f"0x{receipt.transaction_hash.hex()}"


async def _shown_to_evm(
    chain: EvmChain, audit: bytes, hub: HubChainConfig, wanted: WantedVerdict, random: Random
) -> ShownRecords:
    (reader,) = HUB_READER.decode(await chain.execution.call(audit, HUB_READER.encode()))
    height, root = await newest_root(chain.execution, bytes.fromhex(reader[2:]))
    async with open_chain(hub, random) as asked:
        claims, proof = await proven_records(asked.execution, (wanted.key,), height.revision_height, root)
    (claim,) = claims
    if not claim.value:
        raise Declined(_not_there(wanted, height, chain.name))
    return ShownRecords.of(height, claims, proof)


async def verdict_on_cosmos(
    cosmos: CosmosChainConfig,
    client: str,
    hub: HubChainConfig,
    wanted: WantedVerdict,
    terms: AuditTerms,
    random: Random,
) -> JudgedVerdict:
    """What the chain's stock client of the hub says of the record; the terms are judged here, by the time of that chain.

    Raises:
        Declined: the client knows no header of the hub under which there is such a verdict, or is not active.
        AdapterError: a chain does not answer, is another one, or has no such client.
        MalformedInput: the hub's record is not a verdict.
    """
    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        info = await chain.client(client)
        if info.status is not ClientStatus.ACTIVE:
            raise Declined(f"{chain.name} {client} is {info.status}: it takes no proof")
        async with open_chain(hub, random) as asked:
            path = merkle_path(asked.merkle_prefix, wanted.key)
            (proof,) = await asked.prove_all([path], info.latest_height)
        if proof.value is None:
            raise Declined(_not_there(wanted, info.latest_height, chain.name))
        verdict = decode_verdict_record(proof.value)
        answer = await verify_membership(chain.rpc, client, proof)
        now_s = (await chain.head()).time_ns // NANOSECONDS_PER_SECOND
    said = None if answer.refusal is None else ("VerifyMembership", answer.refusal)
    refusal = said or refused_terms(verdict, terms, now_s)
    return JudgedVerdict(verdict, proof.height, "07-tendermint", refusal, _membership_fields(client, proof))


def refused_terms(verdict: VerdictRecord, terms: AuditTerms, now_s: int) -> tuple[str, str] | None:
    """Why a verdict does not count on these terms, in the order and by the names of `StorageAudit`; None where it does."""
    if now_s >= verdict.time_s + terms.max_age_s:
        return "StaleVerdict", f"of {verdict.time_s}, now {now_s}, may be {terms.max_age_s} s old"
    if verdict.reveals < terms.min_reveals:
        return "WeakSeed", f"{verdict.reveals} auditors revealed, {terms.min_reveals} are asked"
    if verdict.asked < terms.min_probes:
        return "TooFewProbes", f"{verdict.asked} probes, {terms.min_probes} are asked"
    if verdict.outcome is not Outcome.PASSED:
        counts = f"{verdict.held} held and {verdict.removed} removed of {verdict.asked}"
        return "AuditNotPassed", f"{verdict.outcome.name.lower()}: {counts}"
    return None


def _not_there(wanted: WantedVerdict, height: Height, chain_name: str) -> str:
    return (
        f"the hub has no verdict on {wanted.operator.hex()} of epoch {wanted.epoch} under its header"
        f" {height.revision_height}, the newest that {chain_name} has: bring the client there to a newer one"
        " (`hutong client update`)"
    )


def _membership_fields(client: str, proof: Proof) -> dict[str, Any]:
    """`QueryVerifyMembershipRequest` as the chain's REST gateway takes it."""
    return {
        "client_id": client,
        "proof": _base64(proof.proof),
        "proof_height": {
            "revision_number": str(proof.height.revision_number),
            "revision_height": str(proof.height.revision_height),
        },
        "value": _base64(proof.value or b""),
        "merkle_path": {"key_path": [_base64(part) for part in proof.path]},
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
