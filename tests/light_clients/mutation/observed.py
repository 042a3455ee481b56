"""What is shown of observed chains: state roots, sets of trie nodes, and the records that a hub keeps of them."""

from collections.abc import Iterator
from dataclasses import replace

from eth_abi.abi import encode

from hutong.light_clients.attestation import decode_attestation
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import VERIFY, Height
from hutong.light_clients.protobuf import bft_evm_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.records import (
    PROVEN,
    AccountField,
    ClientEpoch,
    Demand,
    FieldPlace,
    Observation,
    ObservationKey,
    SlotPlace,
    SourceTrust,
    TrustKind,
    decode_epoch,
    decode_observation,
    encode_epoch,
    encode_observation,
    epoch_key,
    judge_evm_places,
    judge_observation,
)
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, slot_of
from tests.light_clients.mutation.engine import FalseAcceptance, Subject
from tests.light_clients.mutation.forms import Abi, Flat, Form, Protobuf, Rlp
from tests.light_clients.records.observed_state import CHAINS, nodes_for

MAX_BYTES = 1 << 20
NOW_S = 1_700_000_100


def _state_root(name: str, form: Form, first) -> Subject:
    case = CHAINS[name]()

    def judge(data: bytes) -> None:
        found = case.client.judge_state_root(VERIFY, case.client_state, case.states, case.height, data, case.now_ns)
        if found.state_root != case.root:
            raise FalseAcceptance(f"state root {found.state_root.hex()}")

    return Subject(f"{name} state root", form, (case.shown,), first, judge)


def _places() -> Subject:
    state = State({slot_of(b"%d" % number): bytes([number + 1]) * 32 for number in range(60)}, balance_wei=5)
    root = state.account_trie.root_hash
    places = [SlotPlace(ROUTER, slot_of(b"3")), SlotPlace(ROUTER, bytes(32)), FieldPlace(ROUTER, AccountField.BALANCE)]
    truth = (b"\x04" * 32, None, (5).to_bytes(32, "big"))

    def nodes_of(data: bytes) -> list[bytes]:
        (nodes,) = decode_canonical(["bytes[]"], data, "nodes", MAX_BYTES)
        return nodes

    def judge(data: bytes) -> None:
        values = judge_evm_places(VERIFY, root, nodes_of(data), places)
        if values != truth:
            raise FalseAcceptance(f"{values}")

    seeds = tuple(encode(["bytes[]"], [list(nodes_for(state, some))]) for some in (places, places[:2]))
    return Subject("evm places", Abi(), seeds, nodes_of, judge)


def _records() -> Iterator[Subject]:
    """Bytes that are read as another record are another record: nothing vouches for them but the hub's proof."""
    client = "bft-evm-0"
    key = ObservationKey.of(client, SlotPlace(ROUTER, bytes(32))).to_bytes()
    good = Observation((42).to_bytes(32, "big"), PROVEN, 3, Height(0, 7), NOW_S * 10**9)
    attested = replace(good, trust=SourceTrust(TrustKind.ATTESTED, 2, 3), value=None)
    epoch = encode_epoch(ClientEpoch(3, True, 0))

    def judge_value(data: bytes) -> None:
        proven = {key: data, epoch_key(client): epoch}
        observation = judge_observation(VERIFY, key, proven, NOW_S, Demand(NOW_S, 10, max_drift_s=5))
        if encode_observation(observation) != data or observation.epoch != 3:
            raise FalseAcceptance(f"{observation}")

    def judge_epoch(data: bytes) -> None:
        judge_observation(
            VERIFY, key, {key: encode_observation(good), epoch_key(client): data}, NOW_S, Demand(NOW_S, 10)
        )
        found = decode_epoch(data)
        if encode_epoch(found) != data or found.number != 3 or not found.is_readable:
            raise FalseAcceptance(f"{found}")

    values = (encode_observation(good), encode_observation(attested))
    yield Subject("observation", Flat(), values, decode_observation, judge_value)
    yield Subject("epoch", Flat(), (epoch,), decode_epoch, judge_epoch)


def observed_subjects() -> Iterator[Subject]:
    """All doors."""
    header = Protobuf(bft_evm_pb2.Header)
    yield _state_root("bft-evm", header, lambda data: parse_canonical(bft_evm_pb2.Header, data, "input", MAX_BYTES))
    yield _state_root("clique", Rlp(), decode_header)
    yield _state_root("attestation", Abi(), decode_attestation)
    yield _places()
    yield from _records()
