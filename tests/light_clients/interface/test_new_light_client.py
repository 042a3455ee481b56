"""A light client that this tree does not know is added by its folder and three lines outside: here a toy consensus."""

import json

import pytest
from typer.testing import CliRunner

from hutong.adapters.evm import EvmSettings
from hutong.adapters.evm.chain import EvmChain
from hutong.adapters.evm.consensus_table import CONSENSUS
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import ClientParameters, NotSupported
from hutong.adapters.rpc import HeadSignal
from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import (
    ClientStatus,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    UnsupportedOperation,
    Updated,
)
from hutong.light_clients.table import LIGHT_CLIENTS, followed_chain_id, light_client
from hutong.relay.cli.audit import verify
from hutong.relay.cli.main import app as hutong
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.adapters.evm.test_evm_consensus import execution
from tests.light_clients.interface.notary.adapter import NotaryConsensus
from tests.light_clients.interface.notary.chain import CHAIN_ID, ROUTER, NotaryChain, signed
from tests.light_clients.interface.notary.client import NotaryClient
from tests.light_clients.interface.notary.command import notary_command
from tests.relay.hub.simulated_hub import GENESIS_TIME_S, RemoteChain, SimulatedHub, forward_payload, sent_packet

COMMAND = "notary"


@pytest.fixture
def registered(monkeypatch):
    """The three lines: of the client table, of the table of consensus kinds, and the command's."""
    monkeypatch.setattr(verify.app, "registered_commands", list(verify.app.registered_commands))

    monkeypatch.setitem(LIGHT_CLIENTS, NotaryClient.client_type, NotaryClient())
    monkeypatch.setitem(CONSENSUS, "notary", NotaryConsensus)
    verify.app.command(COMMAND)(notary_command)


@pytest.fixture
def chain() -> NotaryChain:
    made = NotaryChain(GENESIS_TIME_S)
    for _ in range(3):
        made.seal()
    return made


def test_without_its_lines_nobody_knows_it(chain, tmp_path):
    with pytest.raises(UnsupportedOperation):
        light_client("notary")
    with pytest.raises(NotSupported):
        EvmChain(settings(), None, HeadSignal())
    assert CliRunner().invoke(hutong, ["verify", COMMAND, "file"]).exit_code == 2
    hub = SimulatedHub()
    assert "notary" not in hub.application.light_clients


def settings() -> EvmSettings:
    return EvmSettings(CHAIN_ID, ("http://127.0.0.1:1",), RouterSettings("alpha", ROUTER), consensus="notary")


def test_the_table_says_what_the_relay_asks_of_any_client(registered, chain):
    state = chain.client_state(3)
    assert light_client("notary").trusting_period_ns(state) == 86_400 * 10**9
    assert followed_chain_id("notary", state) == str(CHAIN_ID)
    with pytest.raises(MalformedInput):
        followed_chain_id("notary", state + b"\0")


def test_hutong_verify_has_its_command(registered, chain, tmp_path):
    runner, trusted = CliRunner(), tmp_path / "trusted.hex"
    trusted.write_text(chain.client_state(1).hex())
    honest, forged = chain.seal(), signed(5, GENESIS_TIME_S + 5, bytes(32), key=bytes(31) + b"\x0a")
    assert COMMAND in runner.invoke(hutong, ["verify", "--help"]).output
    for header, code in ((honest, 0), (forged, 1)):
        file = tmp_path / "block.hex"
        file.write_text(header.encode().hex())
        shown = runner.invoke(hutong, ["verify", COMMAND, str(file), "--trusted", str(trusted), "--json"])
        assert shown.exit_code == code, shown.output
        held = {check["name"]: check["held"] for check in json.loads(shown.output)["checks"]}
        assert held == {
            "header_is_well_formed": True,
            "header_not_from_future": True,
            "signed_by_the_notary": code == 0,
        }
    file.write_text("zz")
    assert runner.invoke(hutong, ["verify", COMMAND, str(file), "--trusted", str(trusted)]).exit_code == 2


def test_a_hub_holds_it_and_judges_its_proofs(registered, chain):
    hub = SimulatedHub()
    hub.advance(time_s=GENESIS_TIME_S + 60)
    remote = RemoteChain(hub)
    client = hub.create_client("notary", chain.client_state(3), chain.consensus_state(3))
    assert client == "notary-0"
    assert hub.register(client, "client-0").ok
    packet = Packet(1, "client-0", client, hub.time_s + 600, (forward_payload(remote.client, hub.time_s + 500),))
    chain.send(packet)
    height = chain.seal().height
    forged = signed(height, GENESIS_TIME_S + height, bytes(32), key=bytes(31) + b"\x0a")
    refused = hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(client, forged.encode()))
    assert refused.reverted_with(abi.VERIFICATION_FAILED)[0] == "signed_by_the_notary"
    assert hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(client, chain.blocks[-1][0].encode())).ok

    def receive(proof: bytes):
        return hub.send(ROUTER_ADDRESS, abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height))))

    assert receive(chain.proof(height - 1)).reverted_with(abi.VERIFICATION_FAILED)[0] == "store_has_the_root"
    assert sent_packet(receive(chain.proof(height))).source_client == remote.client

    twin = signed(height, GENESIS_TIME_S + height, bytes(32))
    assert hub.send(ROUTER_ADDRESS, abi.SUBMIT_MISBEHAVIOUR.call(client, twin.encode())).ok
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client) == ClientStatus.FROZEN


async def test_an_adapter_follows_the_chain_for_it(registered, chain):
    async with execution(chain.answers()) as rpc:
        adapter = EvmChain(settings(), rpc, HeadSignal())
        assert (adapter.blocks_per_update, adapter.has_unfinal_blocks) == (None, False)
        begun = await adapter.initial_states("notary", ClientParameters(86_400, 10))
        now_ns = (GENESIS_TIME_S + 60) * 10**9
        judge, states = light_client("notary"), MemoryConsensusStates({begun.height: begun.consensus_state})
        assert judge.create(begun.client_state, begun.consensus_state, now_ns).latest_height == Height(0, 3)
        packet = Packet(1, "client-0", "notary-0", GENESIS_TIME_S + 600, (forward_payload("client-1", 1),))
        chain.send(packet)
        chain.seal()
        head = await adapter.wait_for_height(4)
        (message,) = await adapter.client_messages("notary", begun.client_state, begun.height, Height(0, head.height))
        verdict = judge.verify_header(begun.client_state, states, message, now_ns)
        assert isinstance(verdict, Updated) and verdict.height == Height(0, 4)
        key = commitment_key(packet)
        sent, absent = await adapter.prove_all([(key,), (b"nothing",)], verdict.height)
        assert (sent.value, absent.value) == (packet_commitment(packet), None)
        judge.verify_membership(verdict.client_state, verdict.consensus_state, sent.proof, sent.path, sent.value)
        judge.verify_non_membership(verdict.client_state, verdict.consensus_state, absent.proof, absent.path)
        with pytest.raises(NotSupported):
            await adapter.client_messages("bft-evm", begun.client_state, begun.height, verdict.height)
