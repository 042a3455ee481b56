"""Record bundles of every kind of chain, made by simulated chains with real keys, and the checkpoints to judge them by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hutong.light_clients.bft_evm import SealRules, block_hash, encode_extra_data
from hutong.light_clients.ethereum import decode_consensus_state
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.records import (
    PROVEN,
    AccountField,
    ClientEpoch,
    FieldPlace,
    Observation,
    ObservationKey,
    SlotPlace,
    encode_epoch,
    encode_observation,
    epoch_key,
)
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    Destination,
    EthereumTrust,
    FollowedTrust,
    TendermintTrust,
    encode_checkpoint,
)
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, Statement, encode_record_bundle, in_order
from hutong.relay.archive.record_headers import as_records_carry_them
from hutong.relay.archive.shared_records import share_proofs
from hutong.relay.core.archiving.bundling.known import known_header
from tests.light_clients.attestation.attested_chain import AttestedChain
from tests.light_clients.bft_evm.simulated_chain import CONTRACT, ROUTER, State
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain as BftChain
from tests.light_clients.clique.simulated_clique_chain import CHAIN_ID as CLIQUE_CHAIN_ID
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon
from tests.light_clients.records.observed_state import ABSENT_SLOT, SLOT, WORD, attested_root, nodes_for
from tests.light_clients.tendermint.simulated_chain import SimulatedChain as CometChain
from tests.light_clients.tendermint.simulated_chain import signers

CLIENT = "bft-evm-0"
ACCOUNT = bytes([0x11]) * 20
PLACE = SlotPlace(ACCOUNT, (1).to_bytes(32, "big"))
KEY = ObservationKey.of(CLIENT, PLACE).to_bytes()
EPOCH_KEY = epoch_key(CLIENT)
EPOCH = ClientEpoch(1, True, 0)
SOURCE_AGE_S = 3
"""How much older the observed block is than the hub's header."""
PLACES = (
    SlotPlace(ROUTER, SLOT),
    SlotPlace(ROUTER, ABSENT_SLOT),
    FieldPlace(ROUTER, AccountField.NONCE),
    FieldPlace(bytes([9]) * 20, AccountField.BALANCE),
)


@dataclass(frozen=True)
class Shown:
    """A bundle that holds, under this checkpoint at this time."""

    bundle: RecordBundle
    checkpoint: Checkpoint
    now_ns: int


def observation(time_s: int, **changed: object) -> Observation:
    return replace(
        Observation(WORD, PROVEN, 1, Height(0, 7), (time_s - SOURCE_AGE_S) * NANOSECONDS_PER_SECOND), **changed
    )


@dataclass
class Hub:
    """A hub whose state holds what `records` says from height 3 on; its bundles stand under the header at 4."""

    records: Mapping[bytes, bytes] = field(default_factory=dict)
    chain_id: str = "hutong-1"
    label: str = "validator"
    """Of whose keys the chain is signed by."""

    def __post_init__(self) -> None:
        self.chain = CometChain(self.chain_id, dict.fromkeys(signers(4, label=self.label), 10))
        self.chain.advance()
        for key, value in self.records.items():
            self.chain.put(key, value)
        self.chain.advance(2)

    @property
    def height(self) -> int:
        return self.chain.latest.header.height

    @property
    def now_ns(self) -> int:
        return self.chain.latest.header.time_ns + NANOSECONDS_PER_SECOND

    def checkpoint(self, height: int = 2) -> Checkpoint:
        header = self.chain.block(height).header
        trust = TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",))
        return Checkpoint(
            self.chain_id,
            ChainKind.TENDERMINT,
            height,
            header_hash(header),
            header.time_ns,
            7 * 86_400,
            10,
            {},
            trust,
            codec.encode_header(header),
        )

    def headers(self, trusted: int = 2) -> ChainHeaders:
        message = codec.encode_tendermint_header(self.chain.update(self.height, trusted))
        known = known_header(ChainKind.TENDERMINT, message, SealRules())
        sets = tuple(known.validator_sets[name] for name in sorted(known.validator_sets))
        return ChainHeaders(self.chain_id, ChainKind.TENDERMINT, (known.entry,), sets)

    def statement(self, key: bytes) -> Statement:
        proof, _, value = self.chain.prove(key, self.height)
        return Statement(RecordKey(key), value, proof)

    def bundle(self, *keys: bytes) -> RecordBundle:
        statements = in_order([self.statement(key) for key in keys])
        return RecordBundle(self.headers(), self.chain.height(self.height), statements)


def hub_time_s() -> int:
    """Of the header under which a `Hub`'s records are shown."""
    return Hub().chain.latest.header.time_ns // NANOSECONDS_PER_SECOND


def observed_records(client_epoch: ClientEpoch = EPOCH, **changed: object) -> dict[bytes, bytes]:
    return {KEY: encode_observation(observation(hub_time_s(), **changed)), EPOCH_KEY: encode_epoch(client_epoch)}


def hub(records: Mapping[bytes, bytes] | None = None, keys: Sequence[bytes] = (KEY, EPOCH_KEY)) -> Shown:
    made = Hub(observed_records() if records is None else records)
    return Shown(made.bundle(*keys), made.checkpoint(), made.now_ns)


def evm_bundle(headers: ChainHeaders, height: int, state: State) -> RecordBundle:
    values = (WORD, None, (1).to_bytes(32, "big"), None)
    statements = in_order([Statement(place, value, None) for place, value in zip(PLACES, values, strict=True)])
    return RecordBundle(headers, Height(0, height), statements, nodes_for(state, PLACES))


def bft_checkpoint(chain: BftChain, height: int) -> Checkpoint:
    header, extra = chain.headers[height]
    bare = replace(header, extra_data=encode_extra_data(extra.without_seals_and_round()))
    return Checkpoint(
        "1337",
        ChainKind.BFT_EVM,
        height,
        block_hash(header, extra),
        header.timestamp_s * NANOSECONDS_PER_SECOND,
        1_000,
        15,
        {},
        BftEvmTrust(ROUTER),
        encode_header(bare),
    )


def bft_evm() -> Shown:
    chain = BftChain()
    chain.advance(4)
    entry = HeaderEntry(encode_header(chain.headers[4][0]))
    bundle = evm_bundle(ChainHeaders("1337", ChainKind.BFT_EVM, (entry,)), 4, chain.states[4])
    return Shown(bundle, bft_checkpoint(chain, 2), chain.now_ns)


def bft_evm_contract() -> Shown:
    chain = BftChain(rules=SealRules(validator_contract=CONTRACT))
    chain.advance(4)
    trusted = bft_checkpoint(chain, 2)
    trust = FollowedTrust(chain.client_state(2), chain.consensus_state(2))
    checkpoint = replace(trusted, kind=ChainKind.BFT_EVM_CONTRACT, trust=trust)
    updates = ChainHeaders("1337", ChainKind.BFT_EVM_CONTRACT, (HeaderEntry(chain.header(4, 2)),))
    headers = as_records_carry_them(updates, chain.rules)
    return Shown(evm_bundle(headers, 4, chain.states[4]), checkpoint, chain.now_ns)


def clique() -> Shown:
    chain = SimulatedCliqueChain()
    chain.main.advance(6)
    trusted = chain.main.at(2).block
    checkpoint = Checkpoint(
        str(CLIQUE_CHAIN_ID),
        ChainKind.CLIQUE,
        2,
        trusted.hash,
        trusted.execution.timestamp_s * NANOSECONDS_PER_SECOND,
        1_000,
        15,
        {},
        FollowedTrust(chain.client_state(2), chain.consensus_state(2)),
    )
    headers = ChainHeaders(checkpoint.chain_id, ChainKind.CLIQUE, (HeaderEntry(chain.header(4, 2)),))
    return Shown(evm_bundle(headers, 4, chain.main.at(4).state), checkpoint, chain.time_ns(6))


def ethereum() -> Shown:
    chain = SimulatedBeacon()
    slot = chain.advance(2)
    client = chain.client(FIRST_SLOT)
    consensus = chain.consensus_state(FIRST_SLOT)
    state = decode_consensus_state(consensus)
    checkpoint = Checkpoint(
        str(client.chain_id),
        ChainKind.ETHEREUM,
        FIRST_SLOT,
        state.beacon_root,
        state.timestamp_ns,
        client.trusting_period_s,
        client.max_clock_drift_s,
        {},
        EthereumTrust(chain.client_state(FIRST_SLOT), consensus),
    )
    headers = ChainHeaders(checkpoint.chain_id, ChainKind.ETHEREUM, (HeaderEntry(chain.message(slot)),))
    return Shown(evm_bundle(headers, slot, chain.blocks[slot].execution_state), checkpoint, chain.now_ns)


def attestation() -> Shown:
    chain = AttestedChain()
    chain.advance(3)
    state = State({SLOT: WORD})
    scope, client = chain.scope, chain.client(2)
    checkpoint = Checkpoint(
        scope.source_chain_id,
        ChainKind.ATTESTATION,
        2,
        b"",
        chain.times_s[2] * NANOSECONDS_PER_SECOND,
        1_000,
        15,
        {},
        AttestationTrust(
            scope.source_router,
            client.attestors,
            client.threshold,
            (
                Destination("hutong-2", scope.destination_router, "attestation-7"),
                Destination(scope.destination_chain_id, scope.destination_router, scope.destination_client_id),
            ),
        ),
    )
    entry = HeaderEntry(chain.update(4), attested_root(chain, 4, state.account_trie.root_hash))
    headers = ChainHeaders(scope.source_chain_id, ChainKind.ATTESTATION, (entry,))
    return Shown(evm_bundle(headers, 4, state), checkpoint, chain.now_ns)


def shared_hub() -> Shown:
    """An observation, its epoch, another record and one that is not there, under one multiproof."""
    shown = hub(observed_records() | {b"hub/any": b"\x01"}, keys=(KEY, EPOCH_KEY, b"hub/any", b"hub/none"))
    return replace(shown, bundle=share_proofs(shown.bundle))


KINDS: dict[str, Callable[[], Shown]] = {
    "hub": hub,
    "shared-hub": shared_hub,
    "bft-evm": bft_evm,
    "bft-evm-contract": bft_evm_contract,
    "clique": clique,
    "ethereum": ethereum,
    "attestation": attestation,
}


RECORDED = Path(__file__).with_name("recorded")


def write_recorded() -> None:
    """What `.ci/verifier` and the tests of the command line judge; anew when the format changes.

    `python -c "from tests.relay.audit.records.shown_records import write_recorded; write_recorded()"`
    """
    RECORDED.mkdir(exist_ok=True)
    for name, shown in {"observation": hub(), "storage": bft_evm()}.items():
        (RECORDED / f"{name}.record.json").write_bytes(encode_record_bundle(shown.bundle))
        (RECORDED / f"{name}.checkpoint.json").write_bytes(encode_checkpoint(shown.checkpoint))
