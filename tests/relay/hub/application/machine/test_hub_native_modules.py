"""Rule 5 on the hub's own modules: who may call how, what a revert leaves, and that gas bounds the work."""

import pytest
from eth_abi.abi import decode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import commitment_key, path_key
from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.evm.error_string import ERROR_STRING_SELECTOR
from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.module import refusals_revert
from hutong.relay.hub.application.modules import (
    CLIENT_MANAGER_ADDRESS,
    FORWARDER_ADDRESS,
    NATIVE_CODE,
    ROUTER_ADDRESS,
)
from hutong.relay.hub.application.revision import rules_versions
from tests.relay.evm.evm_bytecode import assemble, deploy_code
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import DAPP, RemoteChain, SimulatedHub, sent_packet

ADDRESSES = (ROUTER_ADDRESS, CLIENT_MANAGER_ADDRESS, FORWARDER_ADDRESS)


def passing_on(kind: str, target: bytes, ending: str = "RETURN") -> bytes:
    """A contract that passes its calldata on to `target` and returns (or reverts with) the success flag."""
    copy = assemble("CALLDATASIZE", 0, 0, "CALLDATACOPY", 0, 0, "CALLDATASIZE", 0)
    value = assemble(0) if kind in ("CALL", "CALLCODE") else b""
    return copy + value + assemble(target, "GAS", kind, 0, "MSTORE", 32, 0, ending)


def deploy(hub: SimulatedHub, runtime: bytes) -> bytes:
    outcome = hub.send(None, deploy_code(runtime), DAPP)
    assert outcome.ok
    receipt = hub.application.blocks.receipts(hub.height)[0]
    return receipt.contract_address


@pytest.fixture
def received(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    return chain_a.receive_call(leg_1, chain_a.update())


def test_what_an_error_says_to_people_is_not_in_the_state():
    """The sentence is revert data of blocks that are replayed: rules versions 1 and 2 must find it as it was."""
    with pytest.raises(NativeRevert) as caught, refusals_revert(rules_versions.NEWEST):
        raise UnsupportedOperation("light client headers of GLOAS", "it rules from epoch 5 on")
    name, sentence = decode(["string", "string"], caught.value.data[4:])
    assert (name, sentence) == ("UnsupportedOperation", "not supported: light client headers of GLOAS")


def test_native_accounts_have_code_in_genesis_and_survive(hub, received):
    assert hub.send(ROUTER_ADDRESS, received).ok
    state = hub.application.state_after(hub.application.blocks.head())
    for address in ADDRESSES:
        assert state.code(address) == NATIVE_CODE
        assert state.account(address).nonce == 1


@pytest.mark.parametrize("kind", ["DELEGATECALL", "CALLCODE"])
def test_attack_native_delegatecall_to_the_hubs_modules(hub, received, kind):
    proxy = deploy(hub, passing_on(kind, ROUTER_ADDRESS))
    before = content(hub)
    outcome = hub.send(proxy, received)
    assert outcome.ok
    assert outcome.data == bytes(32)
    assert content(hub) == before
    honest = deploy(hub, passing_on("CALL", ROUTER_ADDRESS))
    outcome = hub.send(honest, received)
    assert outcome.data == bytes(31) + b"\x01"
    assert sent_packet(outcome)


def test_attack_native_static_call_changes_nothing_but_views_answer(hub, received):
    proxy = deploy(hub, passing_on("STATICCALL", ROUTER_ADDRESS))
    before = content(hub)
    assert hub.send(proxy, received).data == bytes(32)
    for call in (abi.PAUSED.call(), abi.GET_COMMITMENT.call(bytes(32))):
        assert hub.send(proxy, call).data == bytes(31) + b"\x01"
    assert content(hub) == before


def test_value_is_refused(hub, received):
    for address in ADDRESSES:
        outcome = hub.send(address, received, DAPP, value=1)
        assert not outcome.ok
        assert outcome.data[:4] == ERROR_STRING_SELECTOR


def test_a_reverted_call_leaves_no_commitment_no_event_and_no_receipt(hub, received):
    reverting = deploy(hub, passing_on("CALL", ROUTER_ADDRESS, "REVERT"))
    before = content(hub)
    outcome = hub.send(reverting, received)
    assert not outcome.ok
    assert outcome.logs == ()
    assert content(hub) == before
    assert sent_packet(hub.send(ROUTER_ADDRESS, received))


@pytest.mark.long
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["keep", "revert", "static", "delegate"]), min_size=1, max_size=5))
def test_property_a_receive_under_a_chain_of_calls_counts_only_if_every_frame_kept_it(frames):
    """Each frame passes the call on to the next one down; the innermost is the router."""
    hub = SimulatedHub()
    chain_a = RemoteChain(hub, salt=1)
    chain_b = RemoteChain(hub, salt=2)
    call = chain_a.receive_call(chain_a.send_forward(chain_b.client), chain_a.update())
    target = ROUTER_ADDRESS
    for index, frame in enumerate(frames):
        kind = {"static": "STATICCALL", "delegate": "DELEGATECALL"}.get(frame, "CALL")
        target = deploy(hub, passing_on(kind, target, "REVERT" if frame == "revert" else "RETURN"))
        assert index < 5
    before = content(hub)
    outcome = hub.send(target, call, gas=16_000_000)
    # A DELEGATECALL matters only into the router; above it, it runs a proxy's code, which calls on as itself.
    kept = "revert" not in frames and "static" not in frames and frames[0] != "delegate"
    assert bool(outcome.events(abi.SEND_PACKET_EVENT)) == kept
    assert (content(hub) != before) == kept


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x02\x03\x04", b"\xff" * 100])
@pytest.mark.parametrize("address", ADDRESSES)
def test_unknown_functions_revert_with_their_selector(hub, address, data):
    result = hub.call(address, data)
    assert not result.success
    assert result.return_data[:4] == abi.UNKNOWN_FUNCTION.selector
    assert result.return_data[4:8] == data[:4].ljust(4, b"\0")


FUNCTIONS = [
    (address, function)
    for address, functions in (
        (
            ROUTER_ADDRESS,
            [
                abi.RECV_PACKET,
                abi.ACK_PACKET,
                abi.TIMEOUT_PACKET,
                abi.UPDATE_CLIENT,
                abi.SUBMIT_MISBEHAVIOUR,
                abi.RELAY_BATCH,
                abi.GET_COUNTERPARTY,
                abi.GET_COMMITMENT,
                abi.GET_NEXT_SEQUENCE,
                abi.GET_IBC_APP,
            ],
        ),
        (
            CLIENT_MANAGER_ADDRESS,
            [
                abi.APPROVE,
                abi.EXECUTE,
                abi.GET_CLIENT_STATE,
                abi.GET_CONSENSUS_STATE,
                abi.GET_CLIENT_STATUS,
                abi.GET_LATEST_HEIGHT,
                abi.GET_APPROVALS,
            ],
        ),
        (FORWARDER_ADDRESS, [abi.GET_PENDING_FORWARD, abi.GET_FORWARD_FAILURE]),
    )
    for function in functions
]


@pytest.fixture(scope="module")
def still_hub():
    hub = SimulatedHub()
    RemoteChain(hub)
    return hub


@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FUNCTIONS), st.binary(max_size=200))
def test_attack_H_hub_calldata_of_any_bytes_reverts_or_answers(still_hub, target, data):
    address, function = target
    result = still_hub.call(address, function.selector + data)
    assert result.success or result.failure is not None


TEXT = st.one_of(
    st.sampled_from(["bft-evm-0", "07-tendermint-0", "x", "bft-evm-99", "a" * 64 + "-1"]), st.text(max_size=80)
)
HEIGHT = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
PAYLOAD = st.tuples(TEXT, TEXT, TEXT, TEXT, st.binary(max_size=64))
PACKET = st.tuples(st.integers(0, 2**64 - 1), TEXT, TEXT, st.integers(0, 2**64 - 1), st.lists(PAYLOAD, max_size=2))


@pytest.mark.long
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_attack_H_hub_well_formed_calls_of_any_values_revert_or_answer(still_hub, data):
    function, values = data.draw(
        st.one_of(
            st.tuples(st.just(abi.RECV_PACKET), st.tuples(st.tuples(PACKET, st.binary(max_size=64), HEIGHT))),
            st.tuples(st.just(abi.TIMEOUT_PACKET), st.tuples(st.tuples(PACKET, st.binary(max_size=64), HEIGHT))),
            st.tuples(
                st.just(abi.ACK_PACKET),
                st.tuples(st.tuples(PACKET, st.binary(max_size=64), st.binary(max_size=64), HEIGHT)),
            ),
            st.tuples(st.just(abi.UPDATE_CLIENT), st.tuples(TEXT, st.binary(max_size=64))),
            st.tuples(st.just(abi.SUBMIT_MISBEHAVIOUR), st.tuples(TEXT, st.binary(max_size=64))),
            st.tuples(st.just(abi.GET_NEXT_SEQUENCE), st.tuples(TEXT)),
            st.tuples(st.just(abi.GET_IBC_APP), st.tuples(TEXT)),
        )
    )
    result = still_hub.call(ROUTER_ADDRESS, function.call(*values))
    assert result.success or result.failure is not None
    view_function = data.draw(st.sampled_from([abi.GET_CLIENT_STATE, abi.GET_CLIENT_STATUS, abi.GET_LATEST_HEIGHT]))
    assert still_hub.call(CLIENT_MANAGER_ADDRESS, view_function.call(data.draw(TEXT))).failure is not False
    for function in (abi.GET_PENDING_FORWARD, abi.GET_FORWARD_FAILURE):
        result = still_hub.call(FORWARDER_ADDRESS, function.call(data.draw(TEXT), data.draw(st.integers(0, 2**64 - 1))))
        assert result.success or result.failure is not None


def test_calldata_must_be_canonical(hub, chain_a):
    canonical = abi.GET_COUNTERPARTY.call(chain_a.client)
    assert hub.call(ROUTER_ADDRESS, canonical).success
    for other in (canonical + b"\0", canonical[:-1] + b"\x01", canonical[:-32]):
        result = hub.call(ROUTER_ADDRESS, other)
        assert result.return_data[:4] == abi.VERIFICATION_FAILED.selector


def test_gas_is_charged_from_lengths_before_the_work(hub, chain_a):
    sizes = (1_000, 50_000)
    used = [hub.call(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain_a.client, b"\xff" * size)).gas_used for size in sizes]
    per_byte = gas.CLIENT_MESSAGE_BYTE + gas.DECODE_BYTE
    assert used[1] - used[0] > per_byte * (sizes[1] - sizes[0])
    # 50 kB of header cannot be judged for less than their price.
    short = hub.call(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain_a.client, b"\xff" * 50_000), gas=2_000_000)
    assert not short.success
    assert short.return_data == b""


def test_what_is_not_offered_says_so(hub):
    payload = ("gmpport", "forward", "v", "e", b"x")
    for call, words in (
        (abi.SEND_PACKET.call(("bft-evm-0", 1, payload)), "only native applications send"),
        (abi.GET_CLIENT.call("bft-evm-0"), "not contracts"),
        (abi.ADD_IBC_APP.call("0x" + "11" * 20), "own no ports"),
        (abi.ADD_NAMED_IBC_APP.call("myport", "0x" + "11" * 20), "own no ports"),
    ):
        (sentence,) = refused(hub, call, abi.NOT_SUPPORTED)
        assert words in sentence


def test_a_batch_runs_each_call_with_exactly_its_gas_and_survives_a_failed_one(hub, chain_a, chain_b):
    packets = [chain_a.send_forward(chain_b.client) for _ in range(3)]
    height = chain_a.seal()
    update = chain_a.update_call(height)
    broken = abi.RECV_PACKET.call(
        ((1, "client-0", chain_a.client, 1, [("a1", "b1", "c", "d", b"e")]), b"", (0, height))
    )
    calls = [
        (3_000_000, update),
        (2_000_000, chain_a.receive_call(packets[0], height)),
        (50_000, chain_a.receive_call(packets[1], height)),
        (2_000_000, broken),
        (2_000_000, chain_a.receive_call(packets[2], height)),
    ]
    outcome = hub.send(ROUTER_ADDRESS, abi.RELAY_BATCH.call(calls), gas=15_000_000)
    assert outcome.ok
    (succeeded,) = decode(["bool[]"], outcome.data)
    assert list(succeeded) == [True, True, False, False, True]
    failures = [log for log in outcome.logs if log.topics[0] == abi.BATCH_CALL_FAILED_EVENT.topic]
    assert [int.from_bytes(log.topics[1], "big") for log in failures] == [2, 3]
    assert len(outcome.events(abi.SEND_PACKET_EVENT)) == 2
    chain_a.trusted = height
    retried = hub.send(ROUTER_ADDRESS, chain_a.receive_call(packets[1], height))
    assert retried.ok


@pytest.mark.parametrize("limit", [8_000_000, 2**63])
def test_a_batch_that_cannot_give_a_call_its_gas_reverts_whole(hub, chain_a, chain_b, limit):
    packet = chain_a.send_forward(chain_b.client)
    call = chain_a.receive_call(packet, chain_a.update())
    index, available, needed = refused(
        hub, abi.RELAY_BATCH.call([(2_000_000, call), (limit, call)]), abi.INSUFFICIENT_BATCH_GAS
    )
    assert (index, needed) == (1, limit)
    assert available < limit


def test_get_commitment_answers_by_hashed_path(hub, chain_a, chain_b):
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    key = commitment_key(leg_2)
    stored = hub.read(ROUTER_ADDRESS, abi.GET_COMMITMENT, keccak256(key))
    assert stored == hub.view().get(key)
    receipt = hub.read(ROUTER_ADDRESS, abi.GET_COMMITMENT, keccak256(path_key(chain_a.client, 2, 1)))
    assert receipt == bytes(31) + b"\x02"
    assert hub.read(ROUTER_ADDRESS, abi.GET_COMMITMENT, keccak256(b"nothing")) == bytes(32)
    assert chain_b.answer(leg_2).ok
    assert hub.read(ROUTER_ADDRESS, abi.GET_COMMITMENT, keccak256(key)) == bytes(32)


def test_at_the_edge_of_its_gas_a_batch_says_what_is_missing_and_never_runs_dry(hub):
    """The price of the inner frame is part of what is compared: a batch that passes the check can make the call."""
    inner = abi.UPDATE_CLIENT.call("bft-evm-77", b"x")
    gas = 1_000_000
    _, available, _ = decode(
        abi.INSUFFICIENT_BATCH_GAS.arguments,
        hub.call(ROUTER_ADDRESS, abi.RELAY_BATCH.call([(gas, inner)]), gas=gas).return_data[4:],
    )
    for limit in range(available - 8, available + 9):
        result = hub.call(ROUTER_ADDRESS, abi.RELAY_BATCH.call([(limit, inner)]), gas=gas)
        assert result.success == (limit <= available), limit
        if not result.success:
            assert result.return_data[:4] == abi.INSUFFICIENT_BATCH_GAS.selector
