"""Bytes of the bft-evm client's protobuf messages (docs/spec/bft-evm-client.md), canonical both ways."""

from hutong.light_clients.bft_evm.extra_data import decode_extra_data
from hutong.light_clients.bft_evm.types import (
    MAX_CONTRACT_VALIDATORS,
    ClientState,
    Consensus,
    ConsensusState,
    Header,
    Misbehaviour,
    QuorumRule,
    SealedBlock,
    SealRules,
    ValidatorContract,
    ValidatorsProof,
)
from hutong.light_clients.evm_header import MAX_HEADER_RLP_BYTES, ExecutionHeader, decode_header, encode_header
from hutong.light_clients.ibc.evm_router import MAX_ACCOUNT_PROOF_BYTES, bounded_nodes
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    Height,
    MalformedInput,
)
from hutong.light_clients.protobuf import bft_evm_pb2, evm_router_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_VALIDATORS_PROOF_BYTES = 1024 * 1024
"""A validator's slot is proven by four or five nodes of at most 532 bytes where hundreds are listed."""
MAX_LISTED_HEADER_BYTES = MAX_HEADER_RLP_BYTES + MAX_ACCOUNT_PROOF_BYTES + 64
MAX_HEADER_BYTES = MAX_LISTED_HEADER_BYTES + MAX_HEADER_RLP_BYTES + MAX_VALIDATORS_PROOF_BYTES


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose parameters are within their bounds.

    Raises:
        MalformedInput: not the canonical encoding, an unknown rule, or a field out of bounds.
        UnsupportedOperation: rules that are known each but not offered together.
    """
    message = parse_canonical(bft_evm_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    try:
        consensus = Consensus(message.consensus)
    except ValueError:
        raise MalformedInput("client_state.consensus", "is no known rule", got=message.consensus) from None
    try:
        quorum_rule = QuorumRule(message.quorum_rule)
    except ValueError:
        raise MalformedInput("client_state.quorum_rule", "is no known rule", got=message.quorum_rule) from None
    contract = None
    if message.HasField("validator_contract"):
        contract = ValidatorContract(message.validator_contract.address, message.validator_contract.slot)
    return ClientState(
        chain_id=message.chain_id,
        consensus=consensus,
        router_address=message.router_address,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        latest_height=_height(message.latest_height),
        is_frozen=message.is_frozen,
        quorum_rule=quorum_rule,
        validator_contract=contract,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    contract = state.validator_contract
    return bft_evm_pb2.ClientState(
        chain_id=state.chain_id,
        consensus=int(state.consensus),
        router_address=state.router_address,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=_height_message(state.latest_height),
        is_frozen=state.is_frozen,
        quorum_rule=int(state.quorum_rule),
        validator_contract=None
        if contract is None
        else bft_evm_pb2.ValidatorContract(address=contract.address, slot=contract.slot),
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A consensus state; validators are ascending and distinct.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(bft_evm_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(message.timestamp_s, message.storage_root, tuple(message.validators))


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return bft_evm_pb2.ConsensusState(
        timestamp_s=state.timestamp_s, storage_root=state.storage_root, validators=state.validators
    ).SerializeToString(deterministic=True)


def _max_header_bytes(rules: SealRules) -> int:
    return MAX_LISTED_HEADER_BYTES if rules.validator_contract is None else MAX_HEADER_BYTES


def decode_header_message(data: bytes, rules: SealRules) -> Header:
    """An update, down to the extra data; `rules` say whether it must bring a proof of its validators.

    Raises:
        MalformedInput: not the canonical encoding, a header that is not strict RLP, or a part out of bounds (named).
    """
    return _header(parse_canonical(bft_evm_pb2.Header, data, "header", _max_header_bytes(rules)), rules, "header")


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes, rules: SealRules) -> Misbehaviour:
    """Two updates of a chain of these rules. Whether they conflict is not asked.

    Raises:
        MalformedInput: as `decode_header_message`, of either header.
    """
    message = parse_canonical(bft_evm_pb2.Misbehaviour, data, "misbehaviour", 2 * _max_header_bytes(rules) + 16)
    return Misbehaviour(
        _header(message.header_1, rules, "misbehaviour.header_1"),
        _header(message.header_2, rules, "misbehaviour.header_2"),
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return bft_evm_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def header_of(
    trusted_height: Height,
    execution: ExecutionHeader,
    account_proof: tuple[bytes, ...],
    consensus: Consensus = Consensus.QBFT,
    validators_proof: ValidatorsProof | None = None,
) -> Header:
    """An update made of a node's answers, which parses the extra data.

    `account_proof` holds RLP nodes, root first; its bounds are judged by the decoder of whoever receives the update.

    Raises:
        MalformedInput: the extra data are not those of `consensus`.
    """
    extra = decode_extra_data(execution.extra_data, consensus)
    return Header(trusted_height, execution, extra, account_proof, validators_proof)


def _header(message: bft_evm_pb2.Header, rules: SealRules, field: str) -> Header:
    return header_of(
        _height(message.trusted_height),
        decode_header(message.header_rlp),
        bounded_nodes(message.account_proof, f"{field}.account_proof"),
        rules.consensus,
        _validators_proof(message, rules, field),
    )


def _validators_proof(message: bft_evm_pb2.Header, rules: SealRules, field: str) -> ValidatorsProof | None:
    if rules.validator_contract is None:
        if message.parent_header_rlp or message.HasField("validators_proof"):
            raise MalformedInput(f"{field}.validators_proof", "headers of this chain list their validators themselves")
        return None
    proof = message.validators_proof
    if len(proof.slots) > MAX_CONTRACT_VALIDATORS + 1:
        raise MalformedInput(f"{field}.validators_proof.slots", f"more than {MAX_CONTRACT_VALIDATORS + 1}")
    execution = decode_header(message.parent_header_rlp)
    return ValidatorsProof(
        SealedBlock(execution, decode_extra_data(execution.extra_data, rules.consensus)),
        bounded_nodes(proof.account_proof, f"{field}.validators_proof.account_proof"),
        tuple(
            bounded_nodes(slot.nodes, f"{field}.validators_proof.slots[{index}]")
            for index, slot in enumerate(proof.slots)
        ),
    )


def _header_message(header: Header) -> bft_evm_pb2.Header:
    proof = header.validators_proof
    return bft_evm_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        header_rlp=encode_header(header.execution),
        account_proof=header.account_proof,
        parent_header_rlp=b"" if proof is None else encode_header(proof.parent.execution),
        validators_proof=None
        if proof is None
        else bft_evm_pb2.ValidatorsProof(
            account_proof=proof.account_proof,
            slots=[evm_router_pb2.StorageProof(nodes=nodes) for nodes in proof.slots],
        ),
    )


def _height(message: ibc_pb2.Height) -> Height:
    return Height(message.revision_number, message.revision_height)


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
