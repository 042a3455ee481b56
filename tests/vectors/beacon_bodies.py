"""Whole beacon block bodies for the vectors: types for the library remerkleable, since the product has no such code.

Source: consensus-specs `specs/{phase0,altair,bellatrix,capella,deneb,electra}/beacon-chain.md`, presets mainnet and minimal.
"""

from functools import cache

from remerkleable.basic import uint64, uint256
from remerkleable.bitfields import Bitlist, Bitvector
from remerkleable.byte_arrays import ByteList, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container, List, Vector

from hutong.light_clients.interface import MalformedInput

Bytes20 = ByteVector[20]
FORKS = ("phase0", "altair", "bellatrix", "capella", "deneb", "electra", "fulu")


class Checkpoint(Container):
    epoch: uint64
    root: Bytes32


class AttestationData(Container):
    slot: uint64
    index: uint64
    beacon_block_root: Bytes32
    source: Checkpoint
    target: Checkpoint


class Eth1Data(Container):
    deposit_root: Bytes32
    deposit_count: uint64
    block_hash: Bytes32


class BeaconBlockHeader(Container):
    slot: uint64
    proposer_index: uint64
    parent_root: Bytes32
    state_root: Bytes32
    body_root: Bytes32


class SignedBeaconBlockHeader(Container):
    message: BeaconBlockHeader
    signature: Bytes96


class ProposerSlashing(Container):
    signed_header_1: SignedBeaconBlockHeader
    signed_header_2: SignedBeaconBlockHeader


class DepositData(Container):
    pubkey: Bytes48
    withdrawal_credentials: Bytes32
    amount: uint64
    signature: Bytes96


class Deposit(Container):
    proof: Vector[Bytes32, 33]
    data: DepositData


class VoluntaryExit(Container):
    epoch: uint64
    validator_index: uint64


class SignedVoluntaryExit(Container):
    message: VoluntaryExit
    signature: Bytes96


class BLSToExecutionChange(Container):
    validator_index: uint64
    from_bls_pubkey: Bytes48
    to_execution_address: Bytes20


class SignedBLSToExecutionChange(Container):
    message: BLSToExecutionChange
    signature: Bytes96


class Withdrawal(Container):
    index: uint64
    validator_index: uint64
    address: Bytes20
    amount: uint64


class DepositRequest(Container):
    pubkey: Bytes48
    withdrawal_credentials: Bytes32
    amount: uint64
    signature: Bytes96
    index: uint64


class WithdrawalRequest(Container):
    source_address: Bytes20
    validator_pubkey: Bytes48
    amount: uint64


class ConsolidationRequest(Container):
    source_address: Bytes20
    source_pubkey: Bytes48
    target_pubkey: Bytes48


def container(name: str, fields: dict[str, type]) -> type[Container]:
    return type(Container)(name, (Container,), {"__annotations__": fields})


def payload_fields(at: int, minimal: bool, whole_transactions: bool) -> dict[str, type]:
    transactions = List[ByteList[2**30], 2**20]
    fields = {
        "parent_hash": Bytes32,
        "fee_recipient": Bytes20,
        "state_root": Bytes32,
        "receipts_root": Bytes32,
        "logs_bloom": ByteVector[256],
        "prev_randao": Bytes32,
        "block_number": uint64,
        "gas_limit": uint64,
        "gas_used": uint64,
        "timestamp": uint64,
        "extra_data": ByteList[32],
        "base_fee_per_gas": uint256,
        "block_hash": Bytes32,
    }
    fields |= {"transactions": transactions} if whole_transactions else {"transactions_root": Bytes32}
    if at >= FORKS.index("capella"):
        fields["withdrawals"] = List[Withdrawal, 4 if minimal else 16]
    if at >= FORKS.index("deneb"):
        fields |= {"blob_gas_used": uint64, "excess_blob_gas": uint64}
    return fields


@cache
def body_type(fork: str, preset: str, *, whole_transactions: bool = True) -> type[Container]:
    """BeaconBlockBody; with `whole_transactions` False its payload has `transactions_root` in their place: the same root."""
    at, minimal = FORKS.index(fork), preset == "minimal"
    electra = at >= FORKS.index("electra")
    committee_members, slot_committees = 2048, 4 if minimal else 64
    indices = List[uint64, committee_members * slot_committees if electra else committee_members]
    indexed = container(
        "IndexedAttestation",
        {"attesting_indices": indices, "data": AttestationData, "signature": Bytes96},
    )
    slashing = container("AttesterSlashing", {"attestation_1": indexed, "attestation_2": indexed})
    bits = Bitlist[committee_members * slot_committees if electra else committee_members]
    attestation_fields = {"aggregation_bits": bits, "data": AttestationData, "signature": Bytes96}
    if electra:
        attestation_fields["committee_bits"] = Bitvector[slot_committees]
    attestation = container("Attestation", attestation_fields)
    committee_size = 32 if minimal else 512
    aggregate = container(
        "SyncAggregate",
        {"sync_committee_bits": Bitvector[committee_size], "sync_committee_signature": Bytes96},
    )
    fields = {
        "randao_reveal": Bytes96,
        "eth1_data": Eth1Data,
        "graffiti": Bytes32,
        "proposer_slashings": List[ProposerSlashing, 16],
        "attester_slashings": List[slashing, 1 if electra else 2],
        "attestations": List[attestation, 8 if electra else 128],
        "deposits": List[Deposit, 16],
        "voluntary_exits": List[SignedVoluntaryExit, 16],
    }
    if at >= FORKS.index("altair"):
        fields["sync_aggregate"] = aggregate
    if at >= FORKS.index("bellatrix"):
        fields["execution_payload"] = container("ExecutionPayload", payload_fields(at, minimal, whole_transactions))
    if at >= FORKS.index("capella"):
        fields["bls_to_execution_changes"] = List[SignedBLSToExecutionChange, 16]
    if at >= FORKS.index("deneb"):
        fields["blob_kzg_commitments"] = List[Bytes48, 32 if minimal and not electra else 4096]
    if electra:
        fields["execution_requests"] = container(
            "ExecutionRequests",
            {
                "deposits": List[DepositRequest, 8192],
                "withdrawals": List[WithdrawalRequest, 16],
                "consolidations": List[ConsolidationRequest, 2],
            },
        )
    return container("BeaconBlockBody", fields)


def body_root(body: dict, fork: str, preset: str) -> bytes:
    """hash_tree_root of a body in JSON. Raises MalformedInput for one that is none."""
    try:
        whole = "transactions" in body["execution_payload"] if "execution_payload" in body else True
        return bytes(body_type(fork, preset, whole_transactions=whole).from_obj(body).hash_tree_root())
    except Exception as error:
        raise MalformedInput("body", "is no body of that fork") from error
