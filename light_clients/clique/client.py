"""The `clique` light client: proof-of-authority chains whose signers seal in turn (EIP-225)."""

from dataclasses import replace
from typing import ClassVar

from hutong.light_clients.clique import codec, predicates
from hutong.light_clients.clique.predicates import SPEC
from hutong.light_clients.clique.types import ClientState, ConsensusState, Misbehaviour, SealedBlock, TrustedState
from hutong.light_clients.clique.verification import Branch, judge_evidence, judge_update, options_of
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.ibc.evm_router import CommitmentRules, router_storage_root
from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    Judge,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStateRoot,
    ProvenStore,
    StoredClient,
    UnknownHeight,
    Updated,
    cited,
    known_height,
    rule,
    trusting,
)
from hutong.light_clients.interface.trusting import client_not_frozen

client_state_well_formed = cited(codec.decode_client_state, SPEC, "client_state_well_formed")
header_well_formed = cited(codec.decode_header_message, SPEC, "header_well_formed")
header_not_from_future = cited(trusting.header_not_from_future, SPEC)


@rule(SPEC)
def consensus_state_is_the_latest(client: ClientState, state: ConsensusState) -> None:
    """A new client's two states are of one block.

    Raises:
        PredicateFailed: height, total difficulty or block hash differs.
    """
    for name, got, expected in (
        ("latest_height", client.latest_height, state.height),
        ("head_total_difficulty", client.head_total_difficulty, state.total_difficulty),
        ("head_hash", client.head_hash, state.block_hash),
    ):
        if got != expected:
            raise PredicateFailed("consensus_state_is_the_latest", f"{name} differs", got=got, expected=expected)


@rule(SPEC)
def shown_header_is_stored(state: ConsensusState, header: bytes) -> bytes:
    """The state root (32 bytes) of a block's RLP header, whose hash is the believed block's.

    Raises:
        PredicateFailed: another hash.
        MalformedInput: not a header that this code reads.
    """
    got = keccak256(header)
    if got != state.block_hash:
        raise PredicateFailed("shown_header_is_stored", "hash of the header", got=got, expected=state.block_hash)
    return decode_header(header).state_root


_COMMITMENTS = CommitmentRules(SPEC, codec.decode_client_state, codec.decode_consensus_state)


class CliqueClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`. Heights are of revision 0, header times seconds.

    Updates are whole branches, so there is never `NotEnoughTrust`: a block is linked to the trusted one or it is not.
    """

    client_type: ClassVar[str] = "clique"
    immutable: ClassVar[tuple[str, ...]] = (
        "chain_id",
        "router_address",
        "period_s",
        "epoch_length",
        "confirmations",
        "max_clock_drift_s",
    )

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_client_state(data)

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_consensus_state(data)

    def height_of(self, client: ClientState) -> Height:
        """The highest block that is believed, of revision 0; the blocks on top of it are not counted."""
        return client.latest_height

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """Not frozen, both states of one block, and the first state neither expired nor from the future.

        Raises:
            ClientFrozen, ClientExpired, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(consensus_state_is_the_latest, client, state)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(header_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The EIP-155 chain id in decimal, and the router's address.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.chain_id), client.router_address)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`; a branch that buries another block in a believed one's place freezes the
        client.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client or the named trusted state is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        shown = judge(header_well_formed, header)
        judge(client_not_frozen, client)
        trusted = judge(trusted_state_known, client, consensus_states, shown.trusted_height)
        branch = judge_update(judge, shown, trusted, options_of(client), now_ns)
        judge(branch_takes_its_place, client, consensus_states, branch)
        state = judge(router_account_proven, client, branch)
        return _verdict(client, consensus_states, branch, state)

    def judge_state_root(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_states: ConsensusStates,
        height: Height,
        shown: bytes,
        now_ns: int,
    ) -> ProvenStateRoot:
        """See `StateProver.judge_state_root`: `shown` is the block's header in RLP, whose hash the state holds.

        Raises:
            ClientFrozen, UnknownHeight: the client is frozen, or no state is stored at `height`.
            PredicateFailed: the header of another block.
            MalformedInput: a state or the header cannot be decoded.
        """
        client = judge(client_state_well_formed, client_state)
        judge(client_not_frozen, client)
        state = codec.decode_consensus_state(judge(known_height, consensus_states, height, client.latest_height))
        return ProvenStateRoot(judge(shown_header_is_stored, state, shown))

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two buried blocks of one height.

        Raises:
            VerificationError: as `judge_misbehaviour`, or MalformedInput where the message cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        judge_misbehaviour(VERIFY, client, consensus_states, evidence, now_ns)
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are buried at height {evidence.header_1.number}",
        )

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """See `evm_router.CommitmentRules.judge`: a storage proof under the state's storage root.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        _COMMITMENTS.judge(judge, client_state, consensus_state, proof, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """Everything is the substitute's: sums of difficulties are counted as its creator began.

        Raises:
            PredicateFailed, MalformedInput: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        return substitute


@rule("ICS-02")
def trusted_state_known(client: ClientState, consensus_states: ConsensusStates, height: Height) -> TrustedState:
    """The stored state that a branch starts from.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, client.latest_height)
    return codec.decode_consensus_state(data).trusted


def _block_at(branch: Branch, number: int) -> SealedBlock:
    """A block that `blocks_are_linked` and `buried_by_confirmations` have shown to be in the branch."""
    block = branch.header.block_at(number)
    if block is None:
        raise RuntimeError(f"block {number} is not in a branch that was judged to hold it")
    return block


def _head_of(branch: Branch, client: ClientState) -> tuple[int, bytes]:
    """(total difficulty, hash) of the last of the confirmations: by it branches are weighed. What stands above it is
    not counted, or one long branch would be a bar for all that follow it step by step.
    """
    number = branch.header.number + client.confirmations
    return branch.trusted.total_difficulty + branch.weight_at(number), _block_at(branch, number).hash


def _contradicted(branch: Branch, consensus_states: ConsensusStates) -> Height | None:
    """The lowest believed block in whose place the branch has another one."""
    stored = consensus_states.after(branch.header.trusted_height)
    while stored is not None:
        height, state = stored
        block = branch.header.block_at(height.revision_height)
        if block is None:
            return None
        if codec.decode_consensus_state(state).block_hash != block.hash:
            return height
        stored = consensus_states.after(height)
    return None


@rule(f"EIP-225; {SPEC}")
def branch_takes_its_place(client: ClientState, consensus_states: ConsensusStates, branch: Branch) -> None:
    """A branch in which another block is buried in a believed one's place is evidence, however heavy it is. Every other
    branch must hold what is believed, and be the heaviest or reach what is believed.

    Raises:
        PredicateFailed: `branch_holds_believed_blocks`, `branch_is_heaviest` or `branch_reaches_known_block`.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    contradicted = _contradicted(branch, consensus_states)
    if contradicted is not None:
        if not branch.buries(contradicted.revision_height, client.confirmations):
            raise PredicateFailed(
                "branch_holds_believed_blocks", "another block stands in the place of a believed one", contradicted
            )
        return
    if branch.header.height > client.latest_height:
        predicates.branch_is_heaviest(client, *_head_of(branch, client))
        return
    if consensus_states.get(branch.header.height) is None:
        above = consensus_states.after(branch.header.height)
        if above is not None:
            predicates.branch_reaches_known_block(branch.header, above[0].revision_height)


@rule(f"EIP-1186; {SPEC}")
def router_account_proven(client: ClientState, branch: Branch) -> ConsensusState:
    """The router's storage root under the believed block's state root, and so what that block leaves.

    Raises:
        PredicateFailed: the account proof does not lead to a contract there.
        MalformedInput: the snapshot is out of bounds, or a node of the proof is not canonical.
    """
    header = branch.header
    block = _block_at(branch, header.number)
    storage_root = router_storage_root(block.execution.state_root, client.router_address, header.account_proof)
    return ConsensusState(
        block.execution.timestamp_s,
        storage_root,
        block.hash,
        branch.trusted.total_difficulty + branch.weight_at(header.number),
        branch.snapshot,
    )


def judge_misbehaviour(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> None:
    """Two buried blocks of one height, each believed from its own trusted state.

    Raises:
        ClientFrozen, ClientExpired, UnknownHeight: the client or a trusted state is not usable.
        PredicateFailed: the first rule that does not hold.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    judge(client_not_frozen, client)
    judge(predicates.headers_conflict, evidence.header_1, evidence.header_2)
    for header in (evidence.header_1, evidence.header_2):
        trusted = judge(trusted_state_known, client, consensus_states, header.trusted_height)
        judge_evidence(judge, header, trusted, options_of(client), now_ns)


def _verdict(
    client: ClientState, consensus_states: ConsensusStates, branch: Branch, state: ConsensusState
) -> HeaderVerdict:
    """Compare what is proven with what is stored: same, contradicting, or new."""
    height = branch.header.height
    conflict = _contradicted(branch, consensus_states)
    if conflict is not None:
        return Misbehaved(
            conflict,
            codec.encode_client_state(client.frozen()),
            f"another block is buried at height {conflict.revision_height}: a reorganisation deeper than the confirmations",
        )
    if consensus_states.get(height) is not None:
        return NoOp(height)
    encoded = codec.encode_consensus_state(state)
    updated = client
    if height > client.latest_height:
        total_difficulty, head_hash = _head_of(branch, client)
        updated = replace(client, latest_height=height, head_total_difficulty=total_difficulty, head_hash=head_hash)
    return Updated(height, codec.encode_client_state(updated), encoded)
