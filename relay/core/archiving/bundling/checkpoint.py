"""A checkpoint as a node tells it: worth what the user's trust in that node is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hutong.adapters.interface import ChainAdapter, ClientInfo, ClientParameters, Source
from hutong.adapters.tlog import LogSource
from hutong.light_clients import attestation, bft_evm, clique, ethereum, tlog
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, UnsupportedOperation, VerificationError
from hutong.light_clients.proofs.ics23 import STANDARD_SPECS
from hutong.light_clients.table import followed_chain_id, light_client
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    Destination,
    EthereumTrust,
    FollowedTrust,
    Remote,
    TendermintTrust,
    Trust,
)
from hutong.relay.archive.log_chain import chain_id_of
from hutong.relay.core.archiving.bundling.known import kind_of, seal_rules_of


async def read_checkpoint(
    chain: ChainAdapter, clients: Sequence[str], followers: Sequence[ClientInfo], height: int | None
) -> Checkpoint:
    """The chain at a height as one node tells it: nothing is proven, so compare it with what others say.

    Args:
        clients: the light clients on the chain whose chains are written down.
        followers: clients of this chain elsewhere: they say which kind of chain it is, for how long its headers are
            trusted, and where its commitments are.
        height: None: the chain's head.

    Raises:
        AdapterError: the chain does not answer.
        UnsupportedOperation: no follower, followers that do not trust alike, an unknown proof spec, or an Ethereum
            chain at a height.
    """
    if not followers:
        raise UnsupportedOperation("a checkpoint of a chain that no configured path's client follows")
    kind = kind_of(followers[0].client_type, followers[0].client_state)
    if kind is ChainKind.ETHEREUM and height is not None:
        raise UnsupportedOperation(
            "a checkpoint of an Ethereum chain at a height: it is made at the newest finalized block"
        )
    head = await chain.head()
    at = head.height if height is None else height
    await chain.wait_for_height(at)
    followed = {}
    for client_id in clients:
        info = await chain.client(client_id)
        if info.counterparty_client_id is not None:
            chain_id = chain_id_of(info.client_type, followed_chain_id(info.client_type, info.client_state))
            followed[client_id] = Remote(chain_id, info.counterparty_client_id)
    if kind is ChainKind.ETHEREUM:
        return await _ethereum_checkpoint(chain, followers, followed)
    if kind.is_followed:
        return await _followed_checkpoint(chain, kind, followers, followed, at)
    rules = seal_rules_of(kind, followers[0].client_state)
    trust = _common_trust(kind, followers)
    if kind is ChainKind.ATTESTATION:
        header, block_hash, time_ns = None, b"", await chain.block_time_ns(at)
    else:
        header = await chain.bare_header(at)
        block_hash, time_ns = _hash_and_time(kind, header, rules)
    return Checkpoint(
        chain_id=chain.chain_id,
        kind=kind,
        height=at,
        hash=block_hash,
        time_ns=time_ns,
        trusting_period_s=min(info.trusting_period_ns for info in followers) // NANOSECONDS_PER_SECOND,
        max_clock_drift_s=max(_drift_s(info) for info in followers),
        clients=followed,
        trust=trust,
        header=header,
    )


async def read_log_checkpoint(log: LogSource, followers: Sequence[tuple[str, ClientInfo]]) -> Checkpoint:
    """The largest tree that a log serves, which log and witnesses signed; by whom its keys are known, the reader says.

    Args:
        followers: clients of the log, each with the chain id of its hub. They call the log's own client of theirs by
            different names, or are one.

    Raises:
        AdapterError: the log does not answer.
        UnsupportedOperation: a client is of no log, or of another one, has no counterparty, or shares its name with one on
            another hub.
    """
    followed: dict[str, Remote] = {}
    for host_chain_id, info in followers:
        name = info.counterparty_client_id
        if info.client_type != ChainKind.TLOG or name is None:
            raise UnsupportedOperation(f"a checkpoint of a signed log by {info.client_id}, which follows none")
        if name in followed:
            raise UnsupportedOperation(f"one checkpoint for two clients whose packets the log sends as {name}")
        followed[name] = Remote(host_chain_id, info.client_id)
    at = (await log.head()).height
    return await _followed_checkpoint(log, ChainKind.TLOG, [info for _, info in followers], followed, at)


async def _ethereum_checkpoint(
    chain: Source, followers: Sequence[ClientInfo], followed: Mapping[str, Remote]
) -> Checkpoint:
    """A client's states at the newest finalized block, with the strictest parameters of the followers."""
    clients = [ethereum.decode_client_state(info.client_state) for info in followers]
    parameters = ClientParameters(
        min(client.trusting_period_s for client in clients),
        min(client.max_clock_drift_s for client in clients),
        min_participants=max(client.min_participants for client in clients),
    )
    states = await chain.initial_states(ChainKind.ETHEREUM.value, parameters)
    state = ethereum.decode_consensus_state(states.consensus_state)
    return Checkpoint(
        chain_id=chain.chain_id,
        kind=ChainKind.ETHEREUM,
        height=states.height.revision_height,
        hash=state.beacon_root,
        time_ns=state.timestamp_ns,
        trusting_period_s=parameters.trusting_period_s,
        max_clock_drift_s=parameters.max_clock_drift_s,
        clients=followed,
        trust=EthereumTrust(states.client_state, states.consensus_state),
    )


async def _followed_checkpoint(
    chain: Source | LogSource,
    kind: ChainKind,
    followers: Sequence[ClientInfo],
    followed: Mapping[str, Remote],
    height: int,
) -> Checkpoint:
    """A client's states at that block, with the strictest parameters of the followers, which follow by the same rules."""
    parameters = ClientParameters(
        min(info.trusting_period_ns for info in followers) // NANOSECONDS_PER_SECOND,
        max(_drift_s(info) for info in followers),
        begin_height=height,
    )
    states = await chain.initial_states(kind.client_type, parameters)
    judge = light_client(kind.client_type)
    for info in followers:
        try:
            judge.check_substitute(info.client_state, states.client_state)
        except VerificationError as error:
            raise UnsupportedOperation(
                f"one checkpoint for {info.client_id} and the others, which trust the chain by different rules ({error})"
            ) from error
    return Checkpoint(
        chain_id=chain_id_of(kind.client_type, chain.chain_id),
        kind=kind,
        height=height,
        hash=states.block_hash,
        time_ns=judge.timestamp_ns(states.consensus_state),
        trusting_period_s=parameters.trusting_period_s,
        max_clock_drift_s=parameters.max_clock_drift_s,
        clients=followed,
        trust=FollowedTrust(states.client_state, states.consensus_state),
        header=None if kind in (ChainKind.CLIQUE, ChainKind.TLOG) else await chain.bare_header(height),
    )


def _hash_and_time(kind: ChainKind, header: bytes, rules: bft_evm.SealRules) -> tuple[bytes, int]:
    if kind is ChainKind.TENDERMINT:
        block = codec.decode_header(header)
        return header_hash(block), block.time_ns
    parsed = bft_evm.header_of(Height(0, 0), decode_header(header), (), rules.consensus)
    return bft_evm.block_hash(parsed.execution, parsed.extra), parsed.timestamp_ns


def _drift_s(info: ClientInfo) -> int:
    match kind_of(info.client_type, info.client_state):
        case ChainKind.TENDERMINT:
            return codec.decode_client_state(info.client_state).max_clock_drift_ns // NANOSECONDS_PER_SECOND
        case ChainKind.BFT_EVM | ChainKind.BFT_EVM_CONTRACT:
            return bft_evm.decode_client_state(info.client_state).max_clock_drift_s
        case ChainKind.CLIQUE:
            return clique.decode_client_state(info.client_state).max_clock_drift_s
        case ChainKind.TLOG:
            return tlog.decode_client_state(info.client_state).max_clock_drift_s
        case ChainKind.ATTESTATION:
            return attestation.decode_client_state(info.client_state).max_clock_drift_s
        case ChainKind.ETHEREUM:
            return ethereum.decode_client_state(info.client_state).max_clock_drift_s


def _common_trust(kind: ChainKind, followers: Sequence[ClientInfo]) -> Trust:
    """One checkpoint speaks for all followers, so none of them may ask for more than another: fewer attestors, say."""
    for other in followers[1:]:
        if other.client_type != kind or _without_ends(_trust(kind, [other])) != _without_ends(
            _trust(kind, followers[:1])
        ):
            raise UnsupportedOperation(
                f"one checkpoint for {followers[0].client_id} and {other.client_id}, which trust the chain by different rules"
            )
    return _trust(kind, followers)


def _without_ends(trust: Trust) -> Trust:
    return replace(trust, destinations=()) if isinstance(trust, AttestationTrust) else trust


def _trust(kind: ChainKind, followers: Sequence[ClientInfo]) -> Trust:
    state = followers[0].client_state
    match kind:
        case ChainKind.TENDERMINT:
            client = codec.decode_client_state(state)
            names = {spec: name for name, spec in STANDARD_SPECS.items()}
            unknown = [spec for spec in client.proof_specs if spec not in names]
            if unknown:
                raise UnsupportedOperation("a checkpoint of a chain with proof specs of its own")
            specs = tuple(names[spec] for spec in client.proof_specs)
            return TendermintTrust(client.trust_level, followers[0].merkle_prefix, specs)
        case ChainKind.BFT_EVM:
            bft_client = bft_evm.decode_client_state(state)
            return BftEvmTrust(bft_client.router_address, bft_client.consensus, bft_client.quorum_rule)
        case ChainKind.ETHEREUM | ChainKind.CLIQUE | ChainKind.BFT_EVM_CONTRACT | ChainKind.TLOG:
            raise UnsupportedOperation(f"a checkpoint of a chain of kind {kind} without a client's states")
        case ChainKind.ATTESTATION:
            states = [attestation.decode_client_state(info.client_state) for info in followers]
            scopes = [one.scope for one in states]
            return AttestationTrust(
                scopes[0].source_router,
                states[0].attestors,
                states[0].threshold,
                tuple(
                    Destination(scope.destination_chain_id, scope.destination_router, scope.destination_client_id)
                    for scope in scopes
                ),
            )
