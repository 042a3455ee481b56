"""What an attestor signs, and what it never signs."""

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import trio

from hutong.adapters.evm.attested.attestor_api import (
    MAX_REQUEST_BYTES,
    PATH,
    AttestationRequest,
    AttestorRefused,
    decode_answer,
    encode_request,
)
from hutong.adapters.rpc import AttemptFailed
from hutong.light_clients.attestation import (
    AttestationKind,
    PacketAttestation,
    PacketEntry,
    Scope,
    StateAttestation,
    StateRootAttestation,
    attestation_digest,
    encode_packets,
    encode_state,
    encode_state_root,
    recover_attestor,
)
from hutong.relay.attestor import daemon
from hutong.relay.attestor.daemon import open_attestor
from hutong.relay.attestor.endpoint import AttestorApp, serve_attestor
from hutong.relay.attestor.record import FILE_NAME
from hutong.relay.config import AttestorConfig
from hutong.relay.keys import Signer
from tests.adapters.rpc.hostile_server import hostile_server
from tests.relay.attestor.attestor_tools import CHAIN_ID, ROUTER, ScriptedNode

SECRET = bytes(range(1, 33))
SIGNER = Signer.in_memory(SECRET)
ADDRESS = bytes.fromhex(SIGNER.address[2:])
HUB_ROUTER = bytes(18) + b"\x10\x00"
SCOPE = Scope(str(CHAIN_ID), ROUTER, "hutong-1", HUB_ROUTER, "attestation-0")
PATHS = (b"\x01" * 32, b"\x02" * 32)


def config(home, urls, confirmations=2):
    return AttestorConfig.model_validate(
        {
            "attestor": {"home": str(home), "http": "127.0.0.1:0", "key": {"keystore": "k", "password_env": "X"}},
            "source": {
                "chain_id": CHAIN_ID,
                "rpc": urls,
                "router": "0x" + ROUTER.hex(),
                "poll_interval_ms": 10,
                **({} if confirmations is None else {"confirmations": confirmations}),
            },
            "destinations": [
                {"chain_id": "hutong-1", "router": "0x" + HUB_ROUTER.hex(), "client": "attestation-0"},
            ],
        }
    )


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(
        daemon,
        "OPTIONS",
        daemon.RpcOptions(attempt_timeout_s=0.5, rounds=1, straggler_grace_s=0.3, max_lag_blocks=10**6),
    )


@asynccontextmanager
async def attestor_over(home, count=1, **options):
    """(attestor, its scripted nodes)."""
    async with AsyncExitStack() as stack:
        nodes = [ScriptedNode(await stack.enter_async_context(hostile_server())) for _ in range(count)]
        home.mkdir(exist_ok=True)
        record = home / FILE_NAME
        if not record.exists():  # as after a long life: heights from 1 on may be signed
            record.write_text(f"hutong-signed-heights-1 {CHAIN_ID} 0x{ROUTER.hex()}\nfloor 0\n")
        loaded = config(home, [node.server.url for node in nodes], **options)
        yield await stack.enter_async_context(open_attestor(loaded, SIGNER)), nodes


def ask(height, paths=PATHS, scope=SCOPE, wait_ms=0, state_root=False):
    return AttestationRequest(scope, height, tuple(paths), wait_ms, state_root)


async def refused(attestor, request):
    with pytest.raises(AttestorRefused) as caught:
        await attestor.attest(request)
    return caught.value.code


def signer_of(kind, data, signature):
    return recover_attestor(attestation_digest(SCOPE, kind, data), signature)


async def test_a_final_height_is_signed_as_the_router_holds_it(tmp_path, quick):
    async with attestor_over(tmp_path) as (attestor, (node,)):
        node.words[PATHS[0]] = b"\x77" * 32
        answer = await attestor.attest(ask(18))
        assert (answer.height, answer.timestamp_s) == (18, 1018)
        state = encode_state(StateAttestation(18, 1018))
        assert signer_of(AttestationKind.STATE, state, answer.state_signature) == ADDRESS
        assert [packet.commitment for packet in answer.packets] == [b"\x77" * 32, bytes(32)]
        for path, packet in zip(PATHS, answer.packets, strict=True):
            data = encode_packets(PacketAttestation(18, (PacketEntry(path, packet.commitment),)))
            assert signer_of(AttestationKind.PACKETS, data, packet.signature) == ADDRESS
        assert "signed 18 1018" in (tmp_path / FILE_NAME).read_text()


async def test_the_state_root_of_a_final_block_is_signed_where_it_is_asked_for(tmp_path, quick):
    async with attestor_over(tmp_path, 3) as (attestor, nodes):
        assert (await attestor.attest(ask(18))).root is None
        root = (await attestor.attest(ask(18, (), state_root=True))).root
        assert root.state_root == nodes[0].state_root(18)
        data = encode_state_root(StateRootAttestation(18, root.state_root))
        assert signer_of(AttestationKind.STATE_ROOT, data, root.signature) == ADDRESS
        assert await refused(attestor, ask(19, (), state_root=True)) == "not_final"
        elsewhere = replace(SCOPE, destination_client_id="attestation-1")
        assert await refused(attestor, ask(18, (), elsewhere, state_root=True)) == "not_configured"


async def test_attack_J9_a_root_that_endpoints_do_not_agree_on_is_not_signed(tmp_path, quick):
    async with attestor_over(tmp_path, 3) as (attestor, nodes):
        nodes[1].roots[18] = b"\x66" * 32
        assert await refused(attestor, ask(18, (), state_root=True)) == "unavailable"
        assert (await attestor.attest(ask(18))).height == 18
        nodes[1].roots.clear()
        assert (await attestor.attest(ask(18, (), state_root=True))).root is not None


async def test_attack_J9_the_root_is_that_of_the_block_on_record(tmp_path, quick):
    """After the node has changed its history, the signed height's block is not there, and no root is signed."""
    async with attestor_over(tmp_path) as (attestor, (node,)):
        signed = (await attestor.attest(ask(18, (), state_root=True))).root
        node.fork = 1
        assert await refused(attestor, ask(18, (), state_root=True)) == "unavailable"
        node.fork = 0
        assert (await attestor.attest(ask(18, (), state_root=True))).root == signed
        node.roots[18] = bytes(32)
        assert await refused(attestor, ask(18, (), state_root=True)) == "unavailable"


@pytest.mark.parametrize(("confirmations", "final"), [(0, 20), (2, 18), (None, 12)])
async def test_only_final_heights_are_signed(tmp_path, quick, confirmations, final):
    async with attestor_over(tmp_path, confirmations=confirmations) as (attestor, (node,)):
        assert (await attestor.attest(ask(final))).height == final
        assert await refused(attestor, ask(final + 1)) == "not_final"
        assert f"signed {final + 1} " not in (tmp_path / FILE_NAME).read_text()
        node.newest, node.finalized = node.newest + 1, node.finalized + 1
        assert (await attestor.attest(ask(final + 1))).height == final + 1


async def test_it_waits_as_long_as_it_is_asked_to(tmp_path, quick):
    async with attestor_over(tmp_path) as (attestor, (node,)), trio.open_nursery() as nursery:

        async def next_block():
            while node.server.methods().count("eth_blockNumber") < 4:
                await trio.lowlevel.checkpoint()
            node.newest = 21

        nursery.start_soon(next_block)
        assert (await attestor.attest(ask(19, wait_ms=5000))).height == 19


@pytest.mark.parametrize(
    "scope",
    [
        Scope("1", ROUTER, "hutong-1", HUB_ROUTER, "attestation-0"),
        Scope(str(CHAIN_ID), b"\xa2" * 20, "hutong-1", HUB_ROUTER, "attestation-0"),
        Scope(str(CHAIN_ID), ROUTER, "hutong-2", HUB_ROUTER, "attestation-0"),
        Scope(str(CHAIN_ID), ROUTER, "hutong-1", b"\x10" * 20, "attestation-0"),
        Scope(str(CHAIN_ID), ROUTER, "hutong-1", HUB_ROUTER, "attestation-1"),
    ],
)
async def test_attack_D5_it_signs_for_its_own_source_and_its_configured_clients_only(tmp_path, quick, scope):
    async with attestor_over(tmp_path) as (attestor, (node,)):
        asked = len(node.server.requests)
        assert await refused(attestor, ask(10, scope=scope)) == "not_configured"
        assert len(node.server.requests) == asked, "its chain is not even asked"
        assert (await attestor.attest(ask(10))).height == 10


async def test_attack_D8_one_height_is_never_signed_with_two_states(tmp_path, quick):
    """A reorganisation below the final height: nothing more is signed there, also not after a restart."""
    async with attestor_over(tmp_path) as (attestor, (node,)):
        first = await attestor.attest(ask(10))
        node.fork = 1
        assert await refused(attestor, ask(10)) == "unavailable", "the block that was signed is gone"
        node.fork = 0
        assert await attestor.attest(ask(10)) == first
    async with attestor_over(tmp_path) as (attestor, (node,)):
        node.fork = 1
        assert await refused(attestor, ask(10)) == "unavailable"
        assert (await attestor.attest(ask(11))).timestamp_s == 1012, "another height is another matter"


async def test_a_race_for_a_new_height_signs_one_state(tmp_path, quick):
    """Both requests read before either is recorded; the node forks in between."""
    async with attestor_over(tmp_path) as (attestor, (node,)):
        outcomes = []
        real = attestor.source.final_block

        async def slow(height):
            block = await real(height)
            node.fork = 1 - node.fork
            await trio.testing.wait_all_tasks_blocked(0.05)
            return block

        attestor.source.final_block = slow

        async def one():
            try:
                outcomes.append((await attestor.attest(ask(10, paths=()))).timestamp_s)
            except AttestorRefused as refusal:
                outcomes.append(refusal.code)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            nursery.start_soon(one)
        times = {outcome for outcome in outcomes if isinstance(outcome, int)}
        assert len(times) == 1 and "contradiction" in outcomes
        assert (tmp_path / FILE_NAME).read_text().count("signed 10 ") == 1


async def test_a_new_record_begins_at_the_final_height_of_its_day(tmp_path, quick):
    async with AsyncExitStack() as stack:
        node = ScriptedNode(await stack.enter_async_context(hostile_server()))
        attestor = await stack.enter_async_context(open_attestor(config(tmp_path, [node.server.url]), SIGNER))
        assert await refused(attestor, ask(17)) == "too_old"
        assert (await attestor.attest(ask(18))).height == 18


async def test_endpoints_that_disagree_make_it_sign_nothing(tmp_path, quick):
    async with attestor_over(tmp_path, count=3) as (attestor, nodes):
        assert (await attestor.attest(ask(10))).height == 10
        nodes[1].words[PATHS[0]] = b"\x99" * 32
        assert await refused(attestor, ask(10)) == "unavailable"
        nodes[1].words.clear()
        nodes[2].fork = 1
        assert await refused(attestor, ask(11)) == "unavailable"
        assert "signed 11 " not in (tmp_path / FILE_NAME).read_text()


async def test_a_minority_of_endpoints_is_not_enough(tmp_path, quick):
    async with attestor_over(tmp_path, count=3) as (attestor, nodes):
        nodes[0].server.answers = {"*": None}
        assert (await attestor.attest(ask(10))).height == 10
        nodes[1].server.answers = {"*": None}
        assert await refused(attestor, ask(11)) == "unavailable"


async def test_an_endpoint_that_lags_makes_it_wait(tmp_path, quick):
    async with attestor_over(tmp_path, count=3) as (attestor, nodes):
        nodes[2].newest = 11
        assert await refused(attestor, ask(10)) == "not_final"

        async def catch_up():
            while nodes[2].server.methods().count("eth_blockNumber") < 6:
                await trio.lowlevel.checkpoint()
            nodes[2].newest = 20

        async with trio.open_nursery() as nursery:
            nursery.start_soon(catch_up)
            assert (await attestor.attest(ask(10, wait_ms=5000))).height == 10


async def test_one_endpoint_does_not_choose_where_a_new_record_begins(tmp_path, quick):
    """Below its floor nothing is signed twice, and above all heights nothing is signed at all."""
    for number, newest in enumerate((5, 10**9)):
        async with AsyncExitStack() as stack:
            nodes = [ScriptedNode(await stack.enter_async_context(hostile_server())) for _ in range(3)]
            nodes[1].newest = newest
            loaded = config(tmp_path / str(number), [node.server.url for node in nodes])
            attestor = await stack.enter_async_context(open_attestor(loaded, SIGNER))
            nodes[1].newest = 20
            assert await refused(attestor, ask(17)) == "too_old"
            assert (await attestor.attest(ask(18))).height == 18
            for node in nodes[:2]:
                node.server.answers = {"*": None}
            with pytest.raises(AttemptFailed):
                await attestor.source.final_height()


async def test_a_floor_that_rises_under_a_waiting_request_refuses_it(tmp_path, quick):
    async with attestor_over(tmp_path) as (attestor, _):
        real = attestor.source.final_block

        async def meanwhile(height):
            attestor.record.floor = 11
            return await real(height)

        attestor.source.final_block = meanwhile
        assert await refused(attestor, ask(10)) == "too_old"
        assert (await attestor.attest(ask(11))).height == 11


async def test_a_disk_that_fails_keeps_the_signature_back(tmp_path, quick, monkeypatch):
    async with attestor_over(tmp_path) as (attestor, _):

        def full(*_arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(attestor.record, "add", full)
        assert await refused(attestor, ask(10)) == "unavailable"
        monkeypatch.undo()
        assert (await attestor.attest(ask(10))).height == 10


async def test_the_endpoint_answers_bounded_requests_and_shows_no_secret(tmp_path, quick, capsys):
    async with attestor_over(tmp_path) as (attestor, (node,)), trio.open_nursery() as nursery:
        url = await nursery.start(serve_attestor, "127.0.0.1:0", AttestorApp(attestor, SIGNER.address, 1000))
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            good = await client.post(url + PATH, content=encode_request(ask(10)))
            assert good.status_code == 200 and decode_answer(good.content).height == 10
            cases = [
                (await client.post(url + PATH, content=b"{}"), 400, "bad_request"),
                (await client.post(url + PATH, content=b"\xff" * 100), 400, "bad_request"),
                (await client.post(url + PATH, content=b" " * (MAX_REQUEST_BYTES + 1)), 400, "bad_request"),
                (await client.post(url + PATH, content=encode_request(ask(0))), 400, "bad_request"),
                (await client.post(url + PATH, content=encode_request(ask(19))), 409, "not_final"),
                (await client.get(url + PATH), 404, "bad_request"),
                (await client.post(url + "/", content=b"{}"), 404, "bad_request"),
            ]
            for answer, status, code in cases:
                assert answer.status_code == status and json.loads(answer.content)["error"]["code"] == code
            healthy = await client.get(url + "/healthz")
            assert healthy.json() == {"status": "ok", "attestor": SIGNER.address}
            node.server.answers = {"*": b"HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n"}
            answer = await client.post(url + PATH, content=encode_request(ask(10)))
            assert answer.status_code == 503
            assert node.server.url not in answer.text, "an operator's endpoints are nobody's business"
        nursery.cancel_scope.cancel()
    said = capsys.readouterr()
    assert SECRET.hex() not in said.out + said.err + repr(attestor._signer)
    assert "refused" in said.out + said.err


async def test_a_burst_is_not_paid_for_after_it_is_over(tmp_path, quick, autojump_clock):
    """Whose turn is too far away is refused at once, and takes no turn from those who ask later."""
    codes = []

    class Signs:
        async def attest(self, request):
            raise AttestorRefused("not_final", "as the real one may")

    app = AttestorApp(Signs(), SIGNER.address, 10)

    async def one():
        async def receive():
            return {"type": "http.request", "body": encode_request(ask(10)), "more_body": False}

        async def send(message):
            if "body" in message:
                codes.append(json.loads(message["body"])["error"]["code"])

        await app({"type": "http", "path": PATH, "method": "POST"}, receive, send)

    async with trio.open_nursery() as nursery:
        for _ in range(1000):
            nursery.start_soon(one)
    assert codes.count("not_final") == 30, "a second's burst, and two seconds of turns"
    assert trio.current_time() < 2.1
    codes.clear()
    await one()
    assert codes == ["not_final"]
