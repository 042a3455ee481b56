"""Headers of QBFT, IBFT 2.0 and Istanbul chains in a bundle: believed by their seals, or bare by the parent hash of the block above."""

from hutong.light_clients.bft_evm import ClientState, ConsensusState, Header, block_hash, codec
from hutong.light_clients.bft_evm.client import router_account_proven
from hutong.light_clients.bft_evm.types import TrustedState
from hutong.light_clients.bft_evm.verification import Options, judge_seals, judge_update
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.interface import Height, Judge, MalformedInput, PredicateFailed, cited, rule
from hutong.relay.archive.bundle import ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import BftEvmTrust, Checkpoint
from hutong.relay.audit.blocks import SPEC, Block, ProvenState

ACCOUNT = f"EIP-1186; {SPEC}"


class BftEvmRules:
    """See `HeaderRules`."""

    def __init__(self, checkpoint: Checkpoint, trust: BftEvmTrust, validator_sets: tuple[bytes, ...]) -> None:
        self._checkpoint = checkpoint
        self._trust = trust
        self._validator_sets = validator_sets

    @property
    def reading(self) -> str:
        """See `HeaderRules`: the kind and the consensus, since each of the three hashes a header in its own way."""
        return f"{ChainKind.BFT_EVM} {self._trust.consensus.name}"

    def height_of(self, number: int) -> Height:
        """See `HeaderRules`: revision 0."""
        return Height(0, number)

    def parse(self, entry: HeaderEntry) -> Block:
        """See `HeaderRules`.

        Raises:
            MalformedInput: the header cannot be read, has a commit apart from itself, or is bare and names a round.
        """
        if entry.commit is not None:
            raise MalformedInput("header.commit", "a header of this chain carries its seals itself")
        header = codec.header_of(Height(0, 0), decode_header(entry.header), entry.account_proof, self._trust.consensus)
        is_bare = not header.extra.seals
        if is_bare and header.extra.round:
            raise MalformedInput(
                "header.extra_data.round", "a bare header has round 0, as its hash has", header.extra.round
            )
        return Block(
            header.execution.number,
            header.timestamp_ns,
            block_hash(header.execution, header.extra),
            header.execution.parent_hash,
            is_bare,
            entry,
            header,
        )

    def parse_checkpoint_header(self, header: bytes) -> Block:
        return self.parse(HeaderEntry(header))

    def judge_sets(self, judge: Judge, blocks: list[Block]) -> None:
        """See `HeaderRules`: there may be none, since headers list their validators themselves."""
        judge(validators_are_in_headers, self._validator_sets)

    def judge_identity(self, judge: Judge, block: Block) -> None:
        """A header of these chains does not say of which chain it is: its hash does."""

    def judge_seals(self, judge: Judge, block: Block) -> None:
        """See `HeaderRules`: the quorum that the checkpoint's rules ask for."""
        judge_seals(judge, block.value, self._trust.seal_rules)

    def judge_forward(self, judge: Judge, block: Block, trusted: Block, now_ns: int) -> None:
        """See `HeaderRules`: by the rules of a `bft-evm` client's update, from the trusted header's validators."""
        trusted_header: Header = trusted.value
        state = TrustedState(
            Height(0, trusted.height),
            trusted_header.execution.timestamp_s,
            tuple(sorted(set(trusted_header.extra.validators))),
        )
        options = Options(
            self._checkpoint.trusting_period_s, self._checkpoint.max_clock_drift_s, self._trust.seal_rules
        )
        judge_update(judge, block.value, state, options, now_ns)

    def judge_state(self, judge: Judge, block: Block) -> ProvenState:
        """See `HeaderRules`: the router's account must be proven under the header (EIP-1186)."""
        return judge(_router_account_proven, self._checkpoint, self._trust, block)


@rule(SPEC)
def validators_are_in_headers(validator_sets: tuple[bytes, ...]) -> None:
    """No validator set stands apart from the headers, which list their validators.

    Raises:
        PredicateFailed: the bundle has validator sets for the chain.
    """
    if validator_sets:
        raise PredicateFailed("validators_are_in_headers", "QBFT headers list their validators themselves")


def _state(checkpoint: Checkpoint, trust: BftEvmTrust, block: Block) -> ProvenState:
    header: Header = block.value
    client = ClientState(
        chain_id=int(checkpoint.chain_id),
        consensus=trust.consensus,
        quorum_rule=trust.quorum_rule,
        router_address=trust.router_address,
        trusting_period_s=checkpoint.trusting_period_s,
        max_clock_drift_s=checkpoint.max_clock_drift_s,
        latest_height=Height(0, block.height),
    )
    state = ConsensusState(
        header.execution.timestamp_s,
        router_account_proven(client, header),
        tuple(sorted(set(header.extra.validators))),
    )
    return ProvenState(codec.encode_client_state(client), codec.encode_consensus_state(state), block.time_ns)


_router_account_proven = cited(_state, ACCOUNT, "router_account_proven")
