"""Asking attestors over real sockets: what enough say alike is taken, everything else costs only its speaker (D11, D12)."""

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
import trio
from eth_abi import abi as eth_abi
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.evm.attested.attestor_api import (
    MAX_PATHS,
    MAX_REQUEST_BYTES,
    AttestationAnswer,
    AttestationRequest,
    AttestorRefused,
    PacketSignature,
    StateRootSignature,
    decode_answer,
    decode_request,
    encode_answer,
    encode_error,
    encode_request,
)
from hutong.adapters.evm.attested.attestors import CONTRADICTED, DISAGREEMENT, STRANGER, Alert, AttestorPanel
from hutong.adapters.evm.attested.consensus import AttestedConsensus
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.ics26.router import RouterReads
from hutong.adapters.interface import EndpointMismatch, EndpointUnavailable, HeightUnavailable, NotSupported
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.adapters.rpc.transport import new_http_client
from hutong.light_clients.attestation import (
    ABSENT,
    AttestationClient,
    AttestationKind,
    ClientState,
    PacketAttestation,
    PacketEntry,
    PreviousSet,
    Scope,
    StateAttestation,
    StateRootAttestation,
    decode_attestation,
    decode_state_root,
    encode_attestation,
    encode_client_state,
    encode_packets,
    encode_state,
    encode_state_root,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import VERIFY, Height, MalformedInput, Updated
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.relay.keys import Signer
from tests.adapters.rpc.hostile_server import HostileServer, hostile_server, http, result
from tests.relay.keys.at_once import at_once

SCOPE = Scope("31337", b"\xa1" * 20, "hutong-1", bytes(18) + b"\x10\x00", "attestation-0")
SIGNERS = [Signer.in_memory(bytes(31) + bytes([number])) for number in (1, 2, 3)]
STRANGER_KEY = Signer.in_memory(bytes(31) + b"\x09")
ADDRESSES = tuple(sorted(bytes.fromhex(signer.address[2:]) for signer in SIGNERS))
CLIENT = ClientState(SCOPE, ADDRESSES, 2, 86_400, 15, 5)
HEIGHT, TIME_S = 7, 1_700_000_000
KEYS = [b"client-0\x01" + number.to_bytes(8, "big") for number in (1, 2)]
PATHS = [keccak256(key) for key in KEYS]
STORED = {PATHS[0]: b"\x55" * 32, PATHS[1]: ABSENT}
ROOT = b"\x99" * 32
QUICK = RpcOptions(attempt_timeout_s=0.4, straggler_grace_s=0.2)


def answer_of(
    signer: Signer, request: AttestationRequest, time_s=TIME_S, stored=STORED, root=ROOT
) -> AttestationAnswer:
    def signed(kind, data):
        return at_once(signer.sign_attestation(request.scope, kind, data))

    packets = []
    for path in request.path_hashes:
        entry = PacketEntry(path, stored.get(path, ABSENT))
        data = encode_packets(PacketAttestation(request.height, (entry,)))
        packets.append(PacketSignature(entry.commitment, signed(AttestationKind.PACKETS, data)))
    state = encode_state(StateAttestation(request.height, time_s))
    signed_root = None
    if request.state_root:
        data = encode_state_root(StateRootAttestation(request.height, root))
        signed_root = StateRootSignature(root, signed(AttestationKind.STATE_ROOT, data))
    return AttestationAnswer(request.height, time_s, signed(AttestationKind.STATE, state), tuple(packets), signed_root)


def honest(signer, **lies):
    def answer(document):
        request = decode_request(json.dumps(document).encode())
        return http(encode_answer(answer_of(signer, request, **lies)))

    return answer


def twisted(signer, twist):
    """An honest answer, changed by `twist` before it is encoded."""

    def answer(document):
        request = decode_request(json.dumps(document).encode())
        return http(encode_answer(twist(answer_of(signer, request))))

    return answer


def refusing(code):
    return lambda _document: http(encode_error(AttestorRefused(code, "no")), status="409 Conflict")


@dataclass
class Panel:
    servers: list[HostileServer]
    panel: AttestorPanel
    alerts: list[Alert] = field(default_factory=list)

    async def attest(self, client=CLIENT, paths=PATHS):
        with trio.fail_after(60):
            return await self.panel.attest(client, HEIGHT, paths)


@pytest.fixture
async def three():
    """Three servers that answer honestly until a test says otherwise."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(hostile_server()) for _ in SIGNERS]
        for server, signer in zip(servers, SIGNERS, strict=True):
            server.answers["*"] = honest(signer)
        http_client = await stack.enter_async_context(new_http_client(8))
        alerts: list[Alert] = []
        panel = AttestorPanel("source", [server.url for server in servers], http_client, QUICK, alerts.append)
        yield Panel(servers, panel, alerts)


def believed(attested, of: ClientState = CLIENT) -> None:
    """The light client takes update and proofs."""
    client = AttestationClient()
    state = encode_client_state(of)
    trusted = encode_state(StateAttestation(5, TIME_S - 10))
    states = MemoryConsensusStates({Height(0, 5): trusted})
    verdict = client.verify_header(state, states, encode_attestation(attested.update), (TIME_S + 1) * 10**9)
    assert isinstance(verdict, Updated) and verdict.height == Height(0, HEIGHT)
    for (entry, packet), key in zip(attested.packets, KEYS, strict=True):
        proof = encode_attestation(packet)
        if entry.commitment == ABSENT:
            client.verify_non_membership(state, verdict.consensus_state, proof, (key,))
        else:
            client.verify_membership(state, verdict.consensus_state, proof, (key,), entry.commitment)


async def test_enough_signatures_make_what_the_light_client_takes(three):
    attested = await three.attest()
    assert attested.state == StateAttestation(HEIGHT, TIME_S)
    assert [entry.commitment for entry, _ in attested.packets] == [STORED[path] for path in PATHS]
    assert {len(packet.signatures) for _, packet in attested.packets} == {CLIENT.threshold}
    assert len(attested.update.signatures) == CLIENT.threshold
    assert three.alerts == []
    believed(attested)


BAD = {
    "garbage": lambda _request: http(b"\x00garbage"),
    "empty": lambda _request: http(b""),
    "no HTTP": lambda _request: b"\xff" * 64,
    "an error of the server": lambda _request: http(b"{}", status="500 Oops"),
    "an unknown refusal": lambda _request: http(b'{"error":{"code":"bored","reason":""}}', status="409 Conflict"),
    "not configured": refusing("not_configured"),
    "a list": lambda _request: http(b"[]"),
    "nested without end": lambda _request: http(b"[" * 100_000),
    "too long": lambda _request: http(b" " * 2**20),
    "another height": twisted(SIGNERS[0], lambda answer: replace(answer, height=HEIGHT + 1)),
    "one path fewer": twisted(SIGNERS[0], lambda answer: replace(answer, packets=answer.packets[:1])),
    "paths exchanged": twisted(SIGNERS[0], lambda answer: replace(answer, packets=answer.packets[::-1])),
    "a signature of another time": twisted(SIGNERS[0], lambda answer: replace(answer, timestamp_s=TIME_S + 1)),
    "time zero": twisted(SIGNERS[0], lambda answer: replace(answer, timestamp_s=0)),
    "a signature of zeros": twisted(SIGNERS[0], lambda answer: replace(answer, state_signature=bytes(65))),
    "silence": lambda _request: None,
}


@pytest.mark.parametrize("kind", BAD)
async def test_attack_D11_wrong_garbage_slow_or_no_answer_costs_only_the_attestor(three, kind):
    """The rest meets the threshold."""
    three.servers[0].answers["*"] = BAD[kind]
    believed(await three.attest())
    assert [alert for alert in three.alerts if alert.what != STRANGER] == []


@pytest.mark.parametrize("kind", BAD)
async def test_attack_D11_fewer_than_the_threshold_give_nothing(three, kind):
    """Nothing partial comes back, and each attestor's reason is named."""
    three.servers[0].answers["*"] = three.servers[1].answers["*"] = BAD[kind]
    with pytest.raises(EndpointUnavailable) as caught:
        await three.attest()
    assert caught.value.chain == "source"
    assert [name for name, _ in caught.value.reasons] == [server.url for server in three.servers]
    assert caught.value.reasons[2][1] == "signed"
    three.servers[1].answers["*"] = honest(SIGNERS[1])
    believed(await three.attest())


async def test_attack_D11_a_closed_port_and_a_half_answer(three):
    three.servers[0].close_after = True
    three.servers[0].answers["*"] = lambda document: honest(SIGNERS[0])(document)[:80]
    believed(await three.attest())
    alerts: list[Alert] = []
    async with new_http_client(4) as http_client:
        urls = ["http://127.0.0.1:9", *(server.url for server in three.servers[1:])]
        panel = AttestorPanel("source", urls, http_client, QUICK, alerts.append)
        believed(await panel.attest(CLIENT, HEIGHT, PATHS))


async def test_attack_D11_a_height_that_is_not_final_makes_the_packet_wait(three):
    for server in three.servers[:2]:
        server.answers["*"] = refusing("not_final")
    with pytest.raises(HeightUnavailable) as caught:
        await three.attest()
    assert (caught.value.chain, caught.value.height) == ("source", HEIGHT)
    three.servers[0].answers["*"] = honest(SIGNERS[0])
    believed(await three.attest())


async def test_attack_D1_one_key_at_two_addresses_counts_once(three):
    three.servers[1].answers["*"] = three.servers[2].answers["*"] = honest(SIGNERS[0])
    with pytest.raises(EndpointUnavailable):
        await three.attest()
    three.servers[2].answers["*"] = honest(SIGNERS[2])
    believed(await three.attest())


async def test_attack_D3_a_stranger_is_no_attestor_and_is_named(three):
    three.servers[0].answers["*"] = honest(STRANGER_KEY)
    believed(await three.attest())
    assert [alert.what for alert in three.alerts] == [STRANGER]
    assert STRANGER_KEY.address[2:].lower() in three.alerts[0].detail and three.servers[0].url in three.alerts[0].detail


@pytest.mark.parametrize(
    ("lie", "about"),
    [
        ({"time_s": TIME_S + 3}, "height 7"),
        ({"stored": {**STORED, PATHS[0]: b"\x66" * 32}}, PATHS[0].hex()),
        ({"stored": {**STORED, PATHS[1]: b"\x66" * 32}}, PATHS[1].hex()),
        ({"stored": {PATHS[1]: ABSENT}}, PATHS[0].hex()),
    ],
    ids=["time", "commitment", "present", "absent"],
)
async def test_attack_D12_disagreement_is_recorded_with_its_signature_and_not_averaged_away(three, lie, about):
    three.servers[1].answers["*"] = honest(SIGNERS[1], **lie)
    believed(await three.attest())
    (alert,) = three.alerts
    assert (alert.chain, alert.what) == ("source", DISAGREEMENT)
    assert three.servers[1].url in alert.detail and about in alert.detail
    lying = answer_of(SIGNERS[1], AttestationRequest(SCOPE, HEIGHT, tuple(PATHS)), **lie)
    signatures = [lying.state_signature, *(packet.signature for packet in lying.packets)]
    assert any(signature.hex() in alert.detail for signature in signatures), "the evidence is kept"


async def test_attack_D12_without_a_quorum_for_one_side_nothing_is_believed_and_all_are_named(three):
    three.servers[1].answers["*"] = honest(SIGNERS[1], time_s=TIME_S + 1)
    three.servers[2].answers["*"] = honest(SIGNERS[2], time_s=TIME_S + 2)
    with pytest.raises(EndpointUnavailable):
        await three.attest()
    assert len(three.alerts) == 3
    assert all("no quorum" in alert.detail for alert in three.alerts)


async def test_attack_D12_a_quorum_for_the_state_does_not_carry_a_packet(three):
    """Two agree on the time, and another two on nothing: no proof is made from mixed answers."""
    three.servers[0].answers["*"] = honest(SIGNERS[0], stored={PATHS[0]: b"\x01" * 32})
    three.servers[1].answers["*"] = honest(SIGNERS[1], stored={PATHS[0]: b"\x02" * 32})
    with pytest.raises(EndpointUnavailable):
        await three.attest()
    assert {alert.what for alert in three.alerts} == {DISAGREEMENT}


async def test_a_slow_attestor_is_asked_less_and_comes_back(three):
    three.servers[0].answers["*"] = None
    for _ in range(3):
        believed(await three.attest())
    asked = len(three.servers[0].requests)
    believed(await three.attest())
    assert len(three.servers[0].requests) == asked, "in quarantine"
    three.servers[0].answers["*"] = honest(SIGNERS[0])
    three.servers[1].answers["*"] = three.servers[2].answers["*"] = BAD["garbage"]
    for _ in range(3):
        with pytest.raises(EndpointUnavailable):
            await three.attest()
    three.servers[1].answers["*"] = honest(SIGNERS[1])
    believed(await three.attest())


async def test_many_paths_are_asked_in_parts(three):
    keys = [b"client-0\x01" + number.to_bytes(8, "big") for number in range(MAX_PATHS + 3)]
    async with new_http_client(4) as http_client:
        urls = [server.url for server in three.servers]
        panel = AttestorPanel("source", urls, http_client, RpcOptions(attempt_timeout_s=30), three.alerts.append)
        attested = await panel.attest(CLIENT, HEIGHT, [keccak256(key) for key in keys])
    assert [entry.path_hash for entry, _ in attested.packets] == [keccak256(key) for key in keys]
    assert [len(document["paths"]) for document in three.servers[0].requests] == [MAX_PATHS, 3]


addresses = st.binary(min_size=1, max_size=64).filter(any)
requests = st.builds(
    AttestationRequest,
    st.builds(Scope, st.just("1"), addresses, st.just("hutong-2"), addresses, st.just("attestation-3")),
    st.integers(0, 2**64 - 1),
    st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=5).map(tuple),
    st.integers(0, 5000),
    st.booleans(),
)
answers = st.builds(
    AttestationAnswer,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(min_size=65, max_size=65),
    st.lists(
        st.builds(PacketSignature, st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65)), max_size=5
    ).map(tuple),
    st.none() | st.builds(StateRootSignature, st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65)),
)


@given(requests, answers)
def test_codec_round_trip(request_, answer):
    assert decode_request(encode_request(request_)) == request_
    assert decode_answer(encode_answer(answer)) == answer


@given(st.binary(max_size=300))
def test_decoders_refuse_everything_else_with_one_error(data):
    for decode in (decode_request, decode_answer):
        with pytest.raises((MalformedInput, AttestorRefused)):
            decode(data)


def test_request_bounds_and_fields():
    good = AttestationRequest(SCOPE, HEIGHT, tuple(PATHS))
    document = json.loads(encode_request(good))
    changes = [
        ({"extra": 1}, "request.extra"),
        ({"height": -1}, "request.height"),
        ({"height": True}, "request.height"),
        ({"wait_ms": 60_000}, "request.wait_ms"),
        ({"state_root": 1}, "request.state_root"),
        ({"state_root": None}, "request.state_root"),
        ({"paths": ["0x" + "AA" * 32]}, "request.paths[0]"),
        ({"paths": ["0x" + "aa" * 31]}, "request.paths[0]"),
        ({"paths": [document["paths"][0]] * 2}, "request.paths"),
        ({"paths": ["0x" + "00" * 32] * (MAX_PATHS + 1)}, "request.paths"),
        ({"scope": {**document["scope"], "source_router": 5}}, "request.scope.source_router"),
        # the scope judges its client's name itself
        ({"scope": {**document["scope"], "destination_client_id": "x"}}, "scope.destination_client_id"),
    ]
    for change, named in changes:
        with pytest.raises(MalformedInput) as caught:
            decode_request(json.dumps({**document, **change}).encode())
        assert caught.value.field == named
    with pytest.raises(MalformedInput):
        decode_request(b" " * (MAX_REQUEST_BYTES + 1))
    full = replace(good, path_hashes=tuple(number.to_bytes(32, "big") for number in range(MAX_PATHS)))
    assert decode_request(encode_request(full)) == full


def test_the_specification_page_shows_what_the_code_says():
    page = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "attestor-api.md").read_text()
    vector = json.loads(page.partition("```json\n")[2].partition("```")[0])
    request = decode_request(json.dumps(vector["request"]).encode())
    assert json.loads(encode_request(request)) == vector["request"]
    signer = Signer.in_memory(bytes.fromhex(vector["private_key"]))
    assert signer.address == vector["attestor"]
    assert json.loads(encode_answer(answer_of(signer, request))) == vector["answer"]
    asked = decode_request(json.dumps(vector["request of a root"]).encode())
    assert asked.state_root and json.loads(encode_request(asked)) == vector["request of a root"]
    assert json.loads(encode_answer(answer_of(signer, asked))) == vector["answer with a root"]


def node_answers(words, time_s=TIME_S):
    """A node of the source chain; `words` is what its router returns, in order of the paths asked."""
    block = {"number": hex(HEIGHT), "hash": "0x" + "77" * 32, "parentHash": "0x" + "66" * 32, "gasLimit": "0x1"}

    def call(request):
        asked = len(words) if len(words) == 1 else 2
        returned = words[0] if asked == 1 else eth_abi.encode(["bytes[]"], [words])
        return result(request, "0x" + returned.hex())

    return {
        "eth_chainId": lambda request: result(request, hex(31337)),
        "eth_getBlockByNumber": lambda request: result(request, {**block, "timestamp": hex(time_s)}),
        "eth_call": call,
    }


@pytest.mark.parametrize(
    ("words", "time_s", "about"),
    [
        ([b"\x55" * 32, b"\x44" * 32], TIME_S, PATHS[1].hex()),
        ([bytes(32), bytes(32)], TIME_S, PATHS[0].hex()),
        ([b"\x55" * 32, bytes(32)], TIME_S + 1, "time of block 7"),
    ],
    ids=["a value more", "a value fewer", "another time"],
)
async def test_attack_D12_attestors_that_the_own_node_denies_are_alerted_and_not_followed(three, words, time_s, about):
    alerts: list[Alert] = []
    async with hostile_server() as node:
        settings = EvmSettings(
            31337,
            (node.url,),
            RouterSettings("source", "0x" + SCOPE.source_router.hex()),
            consensus="attested",
            attestors=tuple(server.url for server in three.servers),
            confirmations=0,
            on_alert=alerts.append,
            options=QUICK,
        )
        state = encode_client_state(CLIENT)
        node.answers |= node_answers([STORED[path] for path in PATHS])
        async with open_evm_chain(settings, Random(1)) as chain:
            proofs = await chain.prove_all([(key,) for key in KEYS], Height(0, HEIGHT), state)
            assert [proof.value for proof in proofs] == [STORED[PATHS[0]], None]
            assert alerts == []
        node.answers |= node_answers(words, time_s)
        async with open_evm_chain(settings, Random(1)) as chain:
            with pytest.raises(EndpointUnavailable) as caught, trio.fail_after(60):
                await chain.prove_all([(key,) for key in KEYS], Height(0, HEIGHT), state)
    assert [alert.what for alert in alerts] == [CONTRADICTED]
    assert about in alerts[0].detail and about in str(caught.value)


async def test_enough_attestors_of_a_root_make_what_the_light_client_takes(three):
    attested = await three.panel.attest_state_root(CLIENT, HEIGHT)
    root, attestation = attested.root
    assert root == StateRootAttestation(HEIGHT, ROOT) and len(attestation.signatures) == CLIENT.threshold
    states = MemoryConsensusStates({Height(0, HEIGHT): encode_state(StateAttestation(HEIGHT, TIME_S))})
    proven = AttestationClient().judge_state_root(
        VERIFY, encode_client_state(CLIENT), states, Height(0, HEIGHT), encode_attestation(attestation), TIME_S * 10**9
    )
    assert (proven.state_root, proven.threshold, proven.attestors) == (ROOT, 2, 3)


async def test_attack_D12_attestors_of_two_roots_are_named_and_the_quorum_is_followed(three):
    three.servers[2].answers["*"] = honest(SIGNERS[2], root=b"\x66" * 32)
    with trio.fail_after(60):
        attested = await three.panel.attest_state_root(CLIENT, HEIGHT)
    assert attested.root[0].state_root == ROOT
    three.servers[1].answers["*"] = honest(SIGNERS[1], root=b"\x44" * 32)
    with pytest.raises(EndpointUnavailable), trio.fail_after(60):
        await three.panel.attest_state_root(CLIENT, HEIGHT)
    assert any("state root of height 7" in alert.detail for alert in three.alerts)


async def test_a_root_that_was_asked_for_and_is_not_there_is_no_answer(three):
    for server, signer in zip(three.servers[:2], SIGNERS, strict=False):
        server.answers["*"] = twisted(signer, lambda answer: replace(answer, root=None))
    with pytest.raises(EndpointUnavailable, match="without being asked for, or the reverse"), trio.fail_after(60):
        await three.panel.attest_state_root(CLIENT, HEIGHT)
    for server, signer in zip(three.servers, SIGNERS, strict=True):
        server.answers["*"] = twisted(
            signer, lambda answer: replace(answer, root=StateRootSignature(ROOT, answer.state_signature))
        )
    with pytest.raises(EndpointUnavailable, match="without being asked for, or the reverse"), trio.fail_after(60):
        await three.attest()


@pytest.mark.parametrize("own", [ROOT, b"\x66" * 32])
async def test_attack_D12_the_own_node_confirms_an_attested_root_or_nothing_is_shown(three, own):
    alerts: list[Alert] = []
    state = encode_client_state(CLIENT)
    block = {"number": hex(HEIGHT), "hash": "0x" + "77" * 32, "parentHash": "0x" + "66" * 32, "gasLimit": "0x1"}
    block |= {"timestamp": hex(TIME_S), "stateRoot": "0x" + own.hex()}
    async with (
        hostile_server() as node,
        open_rpc_client("source", [node.url], Random(1), QUICK) as client,
        new_http_client(8) as http_client,
    ):
        node.answers["eth_getBlockByNumber"] = lambda request: result(request, block)
        execution = ExecutionRpc(client, RevertReader())
        panel = AttestorPanel("source", [one.url for one in three.servers], http_client, QUICK, alerts.append)
        router = RouterOnChain("source", 31337, SCOPE.source_router, execution)

        async def facts(_height):
            return bytes(32), TIME_S * 10**9

        reads = RouterReads("source", execution, SCOPE.source_router, facts)
        consensus = AttestedConsensus(router, reads, panel, 0, alerts.append)
        if own == ROOT:
            shown = await consensus.attested_state_root(state, Height(0, HEIGHT))
            assert decode_state_root(decode_attestation(shown).data) == StateRootAttestation(HEIGHT, ROOT)
            assert alerts == []
            return
        with pytest.raises(EndpointUnavailable, match="state root of block 7"), trio.fail_after(60):
            await consensus.attested_state_root(state, Height(0, HEIGHT))
    assert [alert.what for alert in alerts] == [CONTRADICTED]


async def test_a_proof_for_no_client_or_of_another_source_is_refused(three):
    settings = EvmSettings(
        31337,
        ("http://127.0.0.1:9",),
        RouterSettings("source", "0x" + SCOPE.source_router.hex()),
        consensus="attested",
        attestors=(three.servers[0].url,),
        options=QUICK,
    )
    other = replace(CLIENT, scope=replace(SCOPE, source_router=b"\xa2" * 20))
    async with open_evm_chain(settings, Random(1)) as chain:
        with pytest.raises(NotSupported):
            await chain.prove_all([(KEYS[0],)], Height(0, HEIGHT))
        with pytest.raises(NotSupported):
            await chain.bare_header(HEIGHT)
        with pytest.raises(EndpointMismatch):
            await chain.prove_all([(KEYS[0],)], Height(0, HEIGHT), encode_client_state(other))
    assert three.servers[0].requests == []


NEW_ADDRESSES = tuple(sorted(bytes.fromhex(Signer.in_memory(bytes(31) + bytes([n])).address[2:]) for n in (21, 22)))
ROTATED = replace(CLIENT, attestors=NEW_ADDRESSES, set_number=1, previous=PreviousSet(ADDRESSES, 2, HEIGHT))


async def test_attestors_before_a_rotation_are_counted_within_their_window(three):
    attested = await three.attest(ROTATED)
    believed(attested, ROTATED)
    assert not three.alerts


async def test_attack_D3_attestors_before_a_rotation_are_strangers_after_their_window(three):
    late = replace(ROTATED, previous=replace(ROTATED.previous, until_height=HEIGHT - 1))
    with pytest.raises(EndpointUnavailable):
        await three.attest(late)
    assert {alert.what for alert in three.alerts} == {STRANGER}


async def test_attack_D12_sets_before_and_after_a_rotation_that_sign_different_things(three):
    """The set in force is taken, one signer of it, and somebody is told."""
    alone = replace(ROTATED, attestors=(bytes.fromhex(STRANGER_KEY.address[2:]),), threshold=1)
    three.servers[2].answers["*"] = honest(STRANGER_KEY, time_s=TIME_S + 1)
    attested = await three.attest(alone)
    assert attested.state == StateAttestation(HEIGHT, TIME_S + 1)
    assert [alert.what for alert in three.alerts] == [DISAGREEMENT]
    assert "before and after the rotation" in three.alerts[0].detail
