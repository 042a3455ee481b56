"""Headers of QBFT, IBFT 2.0 and Istanbul chains in a bundle: believed by their seals, or bare by the parent hash of the block above."""

from collections.abc import Iterator
from functools import partial

from light_clients.bft_evm import ClientState, ConsensusState, Header, block_hash, codec
from light_clients.bft_evm.client import proven_storage_root
from light_clients.bft_evm.types import TrustedState
from light_clients.bft_evm.verification import Committers, Options, seal_checks, update_checks
from light_clients.evm_header import decode_header
from light_clients.interface import Check, Height, MalformedInput, PredicateFailed
from relay.archive.bundle import ChainKind, HeaderEntry
from relay.archive.checkpoint import BftEvmTrust, Checkpoint
from relay.audit.blocks import SPEC, Block, ProvenState

ACCOUNT = f"EIP-1186; {SPEC}"


class BftEvmRules:
    """See `HeaderRules`."""

    def __init__(self, checkpoint: Checkpoint, trust: BftEvmTrust, validator_sets: tuple[bytes, ...]) -> None:
        self._checkpoint = checkpoint
        self._trust = trust
        self._validator_sets = validator_sets

    @property
    def reading(self) -> str:
        return f"{ChainKind.BFT_EVM} {self._trust.consensus.name}"

    def height_of(self, number: int) -> Height:
        return Height(0, number)

    def parse(self, entry: HeaderEntry) -> Block:
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

    def set_checks(self, blocks: list[Block]) -> Iterator[Check]:
        yield Check("validators_are_in_headers", SPEC, self._no_sets)

    def _no_sets(self) -> None:
        if self._validator_sets:
            raise PredicateFailed("validators_are_in_headers", "QBFT headers list their validators themselves")

    def identity_checks(self, block: Block) -> Iterator[Check]:
        return iter(())

    def seal_checks(self, block: Block) -> Iterator[Check]:
        return seal_checks(block.value, Committers(block.value), self._trust.seal_rules)

    def forward_checks(self, block: Block, trusted: Block, now_ns: int) -> Iterator[Check]:
        trusted_header: Header = trusted.value
        state = TrustedState(
            Height(0, trusted.height),
            trusted_header.execution.timestamp_s,
            tuple(sorted(set(trusted_header.extra.validators))),
        )
        options = Options(
            self._checkpoint.trusting_period_s, self._checkpoint.max_clock_drift_s, self._trust.seal_rules
        )
        return update_checks(block.value, state, options, now_ns)

    def state_checks(self, block: Block, found: list[ProvenState]) -> Iterator[Check]:
        yield Check("router_account_proven", ACCOUNT, partial(self._state, block, found))

    def _state(self, block: Block, found: list[ProvenState]) -> None:
        header: Header = block.value
        client = ClientState(
            chain_id=int(self._checkpoint.chain_id),
            consensus=self._trust.consensus,
            quorum_rule=self._trust.quorum_rule,
            router_address=self._trust.router_address,
            trusting_period_s=self._checkpoint.trusting_period_s,
            max_clock_drift_s=self._checkpoint.max_clock_drift_s,
            latest_height=Height(0, block.height),
        )
        state = ConsensusState(
            header.execution.timestamp_s,
            proven_storage_root(client, header),
            tuple(sorted(set(header.extra.validators))),
        )
        found.append(ProvenState(codec.encode_client_state(client), codec.encode_consensus_state(state), block.time_ns))
