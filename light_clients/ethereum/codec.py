"""Bytes of the ethereum client's protobuf messages (docs/spec/ethereum-client.md), canonical both ways.

An update is carried in the SSZ that a beacon node serves; its sizes follow from the client state's preset.
"""

from hutong.light_clients.crypto.bls import PUBLIC_KEY_BYTES
from hutong.light_clients.ethereum import ssz
from hutong.light_clients.ethereum.forks import NEWEST_FORK, NEWEST_OFFERED, Fork, ForkActivation, Network, Preset
from hutong.light_clients.ethereum.types import (
    ClientState,
    ConsensusState,
    Header,
    Misbehaviour,
    TrustedCommittees,
)
from hutong.light_clients.ibc.evm_router import MAX_ACCOUNT_PROOF_BYTES, bounded_nodes
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    MalformedInput,
    UnsupportedOperation,
)
from hutong.light_clients.protobuf import ethereum_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_HEADER_BYTES = 2 * ssz.MAX_SSZ_BYTES + MAX_ACCOUNT_PROOF_BYTES + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_HEADER_BYTES + 16
MAX_FORKS = 32


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose parameters are within their bounds; at most `MAX_FORKS` forks, offered or not.

    Raises:
        MalformedInput: not the canonical encoding, an unknown fork, or a field out of bounds.
    """
    message = parse_canonical(ethereum_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    if len(message.forks) > MAX_FORKS:
        raise MalformedInput("client_state.forks", f"more than {MAX_FORKS}", got=len(message.forks))
    height = message.latest_height
    if height.revision_number:
        raise MalformedInput("client_state.latest_height", "slots are of revision 0", got=height.revision_number)
    preset = message.preset
    return ClientState(
        chain_id=message.chain_id,
        network=Network(
            Preset(preset.slots_per_epoch, preset.epochs_per_sync_committee_period, preset.sync_committee_size),
            message.genesis_validators_root,
            message.genesis_time_s,
            message.seconds_per_slot,
            tuple(ForkActivation(_fork(fork.fork), fork.version, fork.epoch) for fork in message.forks),
        ),
        router_address=message.router_address,
        min_participants=message.min_participants,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        committees=TrustedCommittees(
            height.revision_height, message.current_sync_committee_root, message.next_sync_committee_root or None
        ),
        is_frozen=message.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    network = state.network
    return ethereum_pb2.ClientState(
        chain_id=state.chain_id,
        genesis_validators_root=network.genesis_validators_root,
        genesis_time_s=network.genesis_time_s,
        seconds_per_slot=network.seconds_per_slot,
        preset=ethereum_pb2.Preset(
            slots_per_epoch=network.preset.slots_per_epoch,
            epochs_per_sync_committee_period=network.preset.epochs_per_sync_committee_period,
            sync_committee_size=network.preset.sync_committee_size,
        ),
        forks=[
            ethereum_pb2.ForkActivation(fork=activation.fork, version=activation.version, epoch=activation.epoch)
            for activation in network.forks
        ],
        router_address=state.router_address,
        min_participants=state.min_participants,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=ibc_pb2.Height(revision_height=state.committees.finalized_slot),
        current_sync_committee_root=state.committees.current_root,
        next_sync_committee_root=state.committees.next_root or b"",
        is_frozen=state.is_frozen,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A consensus state: the time and roots of one finalized block.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(ethereum_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(
        message.timestamp_s, message.storage_root, message.state_root, message.block_number, message.beacon_root
    )


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return ethereum_pb2.ConsensusState(
        timestamp_s=state.timestamp_s,
        storage_root=state.storage_root,
        state_root=state.state_root,
        block_number=state.block_number,
        beacon_root=state.beacon_root,
    ).SerializeToString(deterministic=True)


def decode_header_message(data: bytes, preset: Preset) -> Header:
    """An update of a network of `preset`, in the containers of the fork that the message names.

    Raises:
        MalformedInput: not the canonical encoding, SSZ of another size, or not exactly one kind of update.
        UnsupportedOperation: containers of a later fork.
    """
    return _header(parse_canonical(ethereum_pb2.Header, data, "header", MAX_HEADER_BYTES), preset, "header")


def decode_header_message_alone(data: bytes) -> Header:
    """`decode_header_message` where no client state says the preset: sizes are those of the committee that it brings.

    Relays read a message's slot with it; a verifier takes the preset from its client state.

    Raises:
        MalformedInput, UnsupportedOperation: as `decode_header_message`.
    """
    message = parse_canonical(ethereum_pb2.Header, data, "header", MAX_HEADER_BYTES)
    size = len(message.sync_committee) // PUBLIC_KEY_BYTES - 1
    return _header(message, Preset(1, 1, size), "header")


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`. An update without a next committee is carried as a finality update."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes, preset: Preset) -> Misbehaviour:
    """Two updates of a network of `preset`. Whether they conflict is not asked.

    Raises:
        MalformedInput, UnsupportedOperation: as `decode_header_message`, of either one.
    """
    message = parse_canonical(ethereum_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(
        _header(message.header_1, preset, "misbehaviour.header_1"),
        _header(message.header_2, preset, "misbehaviour.header_2"),
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return ethereum_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def _fork(number: int) -> Fork:
    try:
        return Fork(number)
    except ValueError:
        raise MalformedInput("fork", "is no known fork", got=number) from None


def _header(message: ethereum_pb2.Header, preset: Preset, field: str) -> Header:
    fork = _fork(message.fork)
    if not Fork.ALTAIR <= fork <= NEWEST_FORK:
        raise UnsupportedOperation(f"light client containers of {fork.name}", NEWEST_OFFERED)
    if bool(message.update) == bool(message.finality_update):
        raise MalformedInput(field, "carries exactly one of update and finality_update")
    if message.update:
        update = ssz.decode_update(message.update, fork, preset)
        if update.next_sync_committee is None:
            raise MalformedInput(f"{field}.update", "without a next committee is carried as a finality_update")
    else:
        update = ssz.decode_finality_update(message.finality_update, fork, preset)
    return Header(
        fork,
        update,
        ssz.decode_sync_committee(message.sync_committee, preset, f"{field}.sync_committee"),
        bounded_nodes(message.account_proof, f"{field}.account_proof"),
    )


def _header_message(header: Header) -> ethereum_pb2.Header:
    update, fork = header.update, header.fork
    brings_committee = update.next_sync_committee is not None
    preset = Preset(1, 1, header.sync_committee.size)
    return ethereum_pb2.Header(
        fork=fork,
        update=ssz.encode_update(update, fork, preset) if brings_committee else b"",
        finality_update=b"" if brings_committee else ssz.encode_finality_update(update, fork),
        sync_committee=ssz.encode_sync_committee(header.sync_committee),
        account_proof=header.account_proof,
    )
