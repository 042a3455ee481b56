"""The `notary` light client: a block is believed because the notary signed it, and a proof shows the whole store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface import (
    MAX_CLIENT_MESSAGE_BYTES,
    MAX_PROOF_BYTES,
    NANOSECONDS_PER_SECOND,
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    Judge,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    StoredClient,
    UnknownHeight,
    Updated,
    cited,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen, header_not_from_future, within_trusting_period

SPEC = "Notary 1"
CLIENT = ["string", "bytes", "address", "uint64", "uint64", "uint64", "bool"]
STATE = ["uint64", "bytes32"]
BLOCK = ["string", "uint64", "uint64", "bytes32"]
HEADER = ["uint64", "uint64", "bytes32", "bytes"]
STORE = ["(bytes,bytes)[]"]

from_future = cited(header_not_from_future, SPEC)
trusted_long_enough = cited(within_trusting_period, SPEC)


@dataclass(frozen=True, slots=True)
class ClientState:
    chain_id: str
    router: bytes
    notary: str
    trusting_period_s: int
    max_clock_drift_s: int
    height: int
    is_frozen: bool = False

    @property
    def trusting_period_ns(self) -> int:
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    def encode(self) -> bytes:
        return encode_abi(CLIENT, [getattr(self, name) for name in self.__slots__])


@dataclass(frozen=True, slots=True)
class ConsensusState:
    time_s: int
    root: bytes

    @property
    def timestamp_ns(self) -> int:
        return self.time_s * NANOSECONDS_PER_SECOND

    def encode(self) -> bytes:
        return encode_abi(STATE, [self.time_s, self.root])


@dataclass(frozen=True, slots=True)
class Header:
    height: int
    time_s: int
    root: bytes
    signature: bytes

    def encode(self) -> bytes:
        return encode_abi(HEADER, [self.height, self.time_s, self.root, self.signature])

    def digest(self, chain_id: str) -> bytes:
        return keccak256(encode_abi(BLOCK, [chain_id, self.height, self.time_s, self.root]))


def encode_store(entries: Mapping[bytes, bytes]) -> bytes:
    return encode_abi(STORE, [sorted(entries.items())])


@rule(SPEC)
def header_is_well_formed(data: bytes) -> Header:
    return Header(*decode_canonical(HEADER, data, "header", MAX_CLIENT_MESSAGE_BYTES))


@rule(SPEC)
def signed_by_the_notary(client: ClientState, header: Header) -> None:
    signer = recover_eth_address(header.digest(client.chain_id), header.signature)
    if signer is None or "0x" + signer.hex() != client.notary:
        raise PredicateFailed("signed_by_the_notary", "another signature", signer, client.notary)


@rule(SPEC)
def store_has_the_root(state: ConsensusState, proof: bytes) -> dict[bytes, bytes]:
    (entries,) = decode_canonical(STORE, proof, "proof", MAX_PROOF_BYTES)
    if keccak256(proof) != state.root:
        raise PredicateFailed("store_has_the_root", "another store", keccak256(proof), state.root)
    return dict(entries)


@rule(SPEC)
def store_holds_the_value(store: dict[bytes, bytes], path: tuple[bytes, ...], value: bytes | None) -> None:
    found = store.get(b"".join(path))
    if found != value:
        raise PredicateFailed("store_holds_the_value", "another value, or none", found, value)


class NotaryClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`."""

    client_type: ClassVar[str] = "notary"
    immutable: ClassVar[tuple[str, ...]] = ("chain_id", "router", "notary")

    def decode_client(self, data: bytes) -> ClientState:
        return ClientState(*decode_canonical(CLIENT, data, "client_state", 1024))

    def decode_state(self, data: bytes) -> ConsensusState:
        return ConsensusState(*decode_canonical(STATE, data, "consensus_state", 1024))

    def height_of(self, client: ClientState) -> Height:
        return Height(0, client.height)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        client = self.decode_client(client_state)
        return ProvenStore(client.chain_id, client.router)

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        judge(client_not_frozen, client)
        judge(trusted_long_enough, state.timestamp_ns, client.trusting_period_ns, now_ns)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client = self.decode_client(client_state)
        judge(client_not_frozen, client)
        latest = consensus_states.get(self.height_of(client))
        if latest is None:
            raise UnknownHeight(self.height_of(client))
        judge(trusted_long_enough, self.decode_state(latest).timestamp_ns, client.trusting_period_ns, now_ns)
        update = judge(header_is_well_formed, header)
        judge_block(judge, client, update, now_ns)
        state, height = ConsensusState(update.time_s, update.root).encode(), Height(0, update.height)
        known = consensus_states.get(height)
        if known == state:
            return NoOp(height)
        if known is not None:
            return Misbehaved(height, replace(client, is_frozen=True).encode(), "two blocks of one height")
        return Updated(height, replace(client, height=max(client.height, update.height)).encode(), state)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        verdict = self.judge_header(VERIFY, client_state, consensus_states, misbehaviour, now_ns)
        if not isinstance(verdict, Misbehaved):
            raise PredicateFailed("two_blocks_of_one_height", "the block contradicts no stored state")
        return verdict

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        judge(client_not_frozen, self.decode_client(client_state))
        store = judge(store_has_the_root, self.decode_state(consensus_state), proof)
        judge(store_holds_the_value, store, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        self.check_substitute(subject, substitute)
        return substitute


def judge_block(judge: Judge, client: ClientState, header: Header, now_ns: int) -> None:
    """What makes a block believed, for the client and for `hutong verify`."""
    judge(
        from_future, header.time_s * NANOSECONDS_PER_SECOND, client.max_clock_drift_s * NANOSECONDS_PER_SECOND, now_ns
    )
    judge(signed_by_the_notary, client, header)
