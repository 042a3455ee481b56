"""What the states of a `clique` client, of a `bft-evm` client with a validator contract, or of a `c2sp-tlog` client say of the
block or tree they stand for."""

from dataclasses import dataclass

from hutong.light_clients import bft_evm, clique, tlog
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.interface import Height, MalformedInput
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.log_chain import log_chain_id


@dataclass(frozen=True, slots=True)
class Said:
    """Times in seconds since 1970; `block_hash` as nodes show it."""

    chain_id: str
    height: int
    block_hash: bytes
    timestamp_s: int
    trusting_period_s: int
    max_clock_drift_s: int
    is_frozen: bool


def said_by_states(kind: ChainKind, client_state: bytes, consensus_state: bytes, header: bytes | None) -> Said:
    """`header` is the block's bare header. A Clique state holds the block's hash itself; a `bft-evm` state does not, so there
    the header is needed, and must be the state's.

    Raises:
        MalformedInput: a state or the header cannot be read, is missing, or they contradict each other.
    """
    if kind is ChainKind.TLOG:
        return _said_of_a_log(client_state, consensus_state)
    if kind is ChainKind.CLIQUE:
        client = clique.decode_client_state(client_state)
        state = clique.decode_consensus_state(consensus_state)
        for name, got, expected in (
            ("latest_height", client.latest_height, state.height),
            ("head_hash", client.head_hash, state.block_hash),
            ("head_total_difficulty", client.head_total_difficulty, state.total_difficulty),
        ):
            if got != expected:
                raise MalformedInput(f"checkpoint.client_state.{name}", "is not the consensus state's", got, expected)
        return Said(
            str(client.chain_id),
            state.height.revision_height,
            state.block_hash,
            state.timestamp_s,
            client.trusting_period_s,
            client.max_clock_drift_s,
            client.is_frozen,
        )
    selected = bft_evm.decode_client_state(client_state)
    sealed = bft_evm.decode_consensus_state(consensus_state)
    if selected.validator_contract is None:
        raise MalformedInput("checkpoint.client_state.validator_contract", "is missing: its kind is bft-evm")
    if header is None:
        raise MalformedInput("checkpoint.header", "is missing: the states of this kind do not hold the block's hash")
    block = bft_evm.header_of(Height(0, 0), decode_header(header), (), selected.consensus)
    for name, got, expected in (
        ("number", block.execution.number, selected.latest_height.revision_height),
        ("timestamp", block.execution.timestamp_s, sealed.timestamp_s),
    ):
        if got != expected:
            raise MalformedInput(f"checkpoint.header.{name}", "is not what the client's states say", got, expected)
    return Said(
        str(selected.chain_id),
        selected.latest_height.revision_height,
        bft_evm.block_hash(block.execution, block.extra),
        sealed.timestamp_s,
        selected.trusting_period_s,
        selected.max_clock_drift_s,
        selected.is_frozen,
    )


def _said_of_a_log(client_state: bytes, consensus_state: bytes) -> Said:
    """`block_hash` is the tree's root, `height` its size."""
    client = tlog.decode_client_state(client_state)
    tree = tlog.decode_consensus_state(consensus_state)
    if tree.height != client.latest_height:
        raise MalformedInput(
            "checkpoint.client_state.latest_height", "is not the consensus state's", client.latest_height, tree.height
        )
    return Said(
        log_chain_id(client.origin),
        tree.size,
        tree.root,
        tree.timestamp_s,
        client.trusting_period_s,
        client.max_clock_drift_s,
        client.is_frozen,
    )
