"""The evm adapter against a running dev chain, with the hub played by a simulated CometBFT chain."""

import socket
import time
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from eth_account import Account

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.ics26.abi import GET_CLIENT, MULTICALL, Function
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import (
    NEWEST,
    AcknowledgePacket,
    ClientParameters,
    EndpointMismatch,
    EndpointUnavailable,
    InitialStates,
    NonceTooLow,
    PacketEventKind,
    PooledPacket,
    RecvPacket,
    RefusedByChain,
    Relayed,
    UnknownClient,
    UpdateClient,
)
from hutong.adapters.rpc import CONCURRENT_READS, RpcOptions, each_of
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import ClientStatus, Height, Updated
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state, encode_tendermint_header
from hutong.relay.core.endpoint_watch import another_chain
from hutong.relay.devnet import Genesis, Pace, running_devnet
from hutong.relay.keys import Signer
from tests.adapters.conformance.suite import StoredStates, submit_alone
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

CHAIN_ID = 1001
QUICK = RpcOptions(attempt_timeout_s=5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.05)
KEY = bytes(31) + b"\x07"
SEND_MESSAGE = Function("sendMessage", ("string", "string", "bytes", "uint64"))
PARAMETERS = ClientParameters(7 * 86_400, 10)


class Setting:
    """A dev chain with contracts and one client of a simulated hub."""

    def __init__(self, devnet, chain, transactor, contracts, client, hub):
        self.devnet, self.chain, self.transactor, self.contracts = devnet, chain, transactor, contracts
        self.client, self.hub = client, hub

    @property
    def mailbox(self) -> bytes:
        return bytes.fromhex(self.contracts.mailbox[2:])

    def hub_height(self) -> int:
        return self.hub.latest.header.height

    def sync_hub(self) -> None:
        """Let the hub make blocks until its time is now."""
        while self.hub.latest.header.time_ns < time.time_ns() - 10**9:
            self.hub.advance()


@asynccontextmanager
async def evm_setting():
    signer = Signer.in_memory(KEY)
    hub = SimulatedChain(chain_id="hutong-1", genesis_time_ns=time.time_ns() - 60 * 10**9)
    hub.advance(5)
    genesis = Genesis(CHAIN_ID, funds_wei={bytes.fromhex(signer.address[2:]): 10**24})
    async with running_devnet(genesis, Pace(100, 50)) as devnet:
        settings = EvmSettings(
            chain_id=CHAIN_ID,
            rpc=(devnet.url,),
            ws=(devnet.websocket_url,),
            router=RouterSettings("alpha", "0x" + "11" * 20, poll_interval_s=0.05),
            options=QUICK,
        )
        async with open_evm_chain(settings, Random(1)) as bare:
            with pytest.raises(EndpointMismatch):
                await bare.check_identity()
            transactor = Transactor(bare.execution, CHAIN_ID, signer)
            contracts = await deployment.deploy(transactor, forward_margin_s=5, open_relaying=True)
            height = hub.latest.header.height
            states = InitialStates(
                "07-tendermint",
                Height(1, height),
                encode_client_state(hub.client_state(height)),
                encode_consensus_state(hub.consensus_state(height)),
            )
            address = await deployment.deploy_hub_client(transactor, states)
            router = bytes.fromhex(contracts.router[2:])
            client = await deployment.add_client(transactor, router, address, "bft-evm-0", (b"",))
            mailbox = bytes.fromhex(contracts.mailbox[2:])
            await deployment.set_direct_peer(transactor, mailbox, client, "hub")
        settings = EvmSettings(
            chain_id=CHAIN_ID,
            rpc=settings.rpc,
            ws=settings.ws,
            router=RouterSettings("alpha", contracts.router, contracts.height, poll_interval_s=0.05),
            options=QUICK,
        )
        async with open_evm_chain(settings, Random(1)) as chain:
            await chain.check_identity()
            transactor = Transactor(chain.execution, CHAIN_ID, signer)
            yield Setting(devnet, chain, transactor, contracts, client, hub)


async def sent(setting: Setting):
    head = await setting.chain.head()
    timeout_s = head.time_ns // 10**9 + 600
    data = SEND_MESSAGE.encode(setting.client, "0x" + "22" * 20, b"hello", timeout_s)
    receipt = await setting.transactor.send(setting.mailbox, data)
    await setting.chain.wait_for_height(receipt.height)
    events = await setting.chain.packet_events(receipt.height, receipt.height)
    (event,) = [event for event in events if event.kind is PacketEventKind.SEND]
    return event


@pytest.mark.long
async def test_states_that_are_read_at_one_moment_ask_for_the_client_s_contract_once(monkeypatch):
    asked = []
    call = ExecutionRpc.call

    async def counted(self, to, data, *rest, **options):
        asked.append(data[:4])
        return await call(self, to, data, *rest, **options)

    async with evm_setting() as setting:
        chain, client = setting.chain, setting.client
        height = (await chain.client(client)).latest_height.revision_height
        monkeypatch.setattr(ExecutionRpc, "call", counted)
        states = await each_of(lambda at: chain.consensus_state(client, Height(1, at)), [height, height + 1, height])
        assert [state is None for state in states] == [False, True, False] and states[0] == states[2]
        assert asked.count(GET_CLIENT.encode(client)[:4]) == 1
        assert await chain.consensus_state(client, Height(1, height)) == states[0]
        assert asked.count(GET_CLIENT.encode(client)[:4]) == 2, "the contract may have been replaced since"
        with pytest.raises(UnknownClient):
            await each_of(lambda at: chain.consensus_state("client-77", Height(1, at)), [height, height + 1])


@pytest.mark.long
async def test_life_of_a_packet_from_the_chain():
    async with evm_setting() as setting:
        chain, client = setting.chain, setting.client
        info = await chain.client(client)
        assert (info.client_type, info.status) == ("07-tendermint", ClientStatus.ACTIVE)
        assert (info.counterparty_client_id, info.merkle_prefix) == ("bft-evm-0", (b"",))
        height = info.latest_height
        assert info.client_state != b""
        assert TendermintClient().latest_height(info.client_state) == height
        state = setting.hub.consensus_state(height.revision_height)
        assert await chain.consensus_state(client, height) == encode_consensus_state(state)
        assert await chain.consensus_state(client, Height(1, 10**6)) is None
        with pytest.raises(UnknownClient):
            await chain.client("client-77")
        assert await chain.next_sequence_send(client) == 1

        first = await chain.initial_states("bft-evm", PARAMETERS)
        event = await sent(setting)
        packet = event.packet
        assert await chain.next_sequence_send(client) == 2
        assert await chain.unsettled_sends(client) == (1,)
        assert await chain.commitment(client, 1) == packet_commitment(packet)
        assert await chain.sent_packet(client, 1) == event

        # its counterparty's client follows, by the adapter's headers and proofs
        target = chain.proving_height(event.height)
        light_client = BftEvmClient()
        light_client.create(first.client_state, first.consensus_state, time.time_ns())
        (header,) = await chain.client_messages("bft-evm", first.client_state, first.height, target)
        states = StoredStates({first.height: first.consensus_state})
        verdict = light_client.verify_header(first.client_state, states, header, time.time_ns())
        assert isinstance(verdict, Updated)
        assert verdict.height == target
        path = (commitment_key(packet),)
        proof = await chain.prove(path, target)
        assert proof.value == packet_commitment(packet)
        light_client.verify_membership(verdict.client_state, verdict.consensus_state, proof.proof, path, proof.value)
        absent = (receipt_key(packet),)
        proof = await chain.prove(absent, target)
        assert proof.value is None
        light_client.verify_non_membership(verdict.client_state, verdict.consensus_state, proof.proof, absent)

        # the hub acknowledges
        acknowledgement = Acknowledgement((b"\x01" * 32,))
        setting.hub.put(acknowledgement_key(packet), acknowledgement_commitment(acknowledgement))
        setting.hub.advance(2)
        setting.sync_hub()
        at = setting.hub_height()
        header = encode_tendermint_header(setting.hub.update(at, height.revision_height))
        proof_bytes, _, value = setting.hub.prove(acknowledgement_key(packet), at)
        message = AcknowledgePacket(packet, acknowledgement, proof_bytes, Height(1, at))
        prepared, signed, outcome = await submit_alone(
            chain, setting.transactor.signer, [UpdateClient(client, header), message]
        )
        assert (outcome.reverted, outcome.failures) == (None, ())
        assert prepared.expected == (True, True)
        assert await chain.unsettled_sends(client) == ()
        assert await chain.commitment(client, 1, event.height) == packet_commitment(packet)
        assert (await chain.client(client)).latest_height == Height(1, at)
        with pytest.raises(NonceTooLow):
            await chain.broadcast(
                await chain.sign(prepared.with_raised_fee(5), signed.nonce, setting.transactor.signer)
            )


@pytest.mark.long
async def test_standing_sends_are_read_in_one_request_however_many(monkeypatch):
    asked = []
    call = ExecutionRpc.call

    async def counted(self, to, data, *rest, **options):
        asked.append(data[:4])
        return await call(self, to, data, *rest, **options)

    async with evm_setting() as setting:
        for _ in range(CONCURRENT_READS + 2):
            await sent(setting)
        monkeypatch.setattr(ExecutionRpc, "call", counted)
        standing = await setting.chain.unsettled_sends(setting.client)
        assert standing == tuple(range(1, CONCURRENT_READS + 3))
        assert asked == [MULTICALL.selector]


@pytest.mark.long
async def test_receives_from_the_hub_and_one_failure_does_not_sink_the_batch():
    async with evm_setting() as setting:
        chain, client, hub = setting.chain, setting.client, setting.hub
        timeout_s = int(time.time()) + 600
        payload = Payload("gmpport", "gmpport", "ics27-2", ABI_ENCODING, b"\x01")
        packets = [Packet(n, "bft-evm-0", client, timeout_s, (payload,)) for n in (1, 2)]
        hub.put(commitment_key(packets[0]), packet_commitment(packets[0]))
        trusted = (await chain.client(client)).latest_height.revision_height
        hub.advance(2)
        setting.sync_hub()
        at = setting.hub_height()
        header = encode_tendermint_header(hub.update(at, trusted))
        good, _, _ = hub.prove(commitment_key(packets[0]), at)
        messages = [
            UpdateClient(client, header),
            RecvPacket(packets[1], good, Height(1, at)),
            RecvPacket(packets[0], good, Height(1, at)),
        ]
        prepared, _, outcome = await submit_alone(chain, setting.transactor.signer, messages)
        assert prepared.expected == (True, False, True)
        assert [failure.index for failure in outcome.failures] == [1]
        assert outcome.failure_of(1).startswith("Invalid")
        written = await chain.written_acknowledgement(client, 1)
        assert written.packet == packets[0]
        assert written.acknowledgement.is_error  # a byte is no GMP packet
        assert await chain.receipt(client, 2) is None


@pytest.mark.long
async def test_validator_change_is_bridged_by_several_headers():
    async with evm_setting() as setting:
        chain = setting.chain
        first = await chain.initial_states("bft-evm", PARAMETERS)
        initial = current = set(setting.devnet.chain.validators)
        while len(initial & current) > 1:
            current = set(setting.devnet.chain.order_validator_change(add=1, remove=1))
            await chain.wait_for_height((await chain.head()).height + 2)
        target = Height(0, (await chain.head()).height)
        headers = await chain.client_messages("bft-evm", first.client_state, first.height, target)
        states, client_state = {first.height: first.consensus_state}, first.client_state
        for header in headers:
            verdict = BftEvmClient().verify_header(client_state, StoredStates(states), header, time.time_ns())
            assert isinstance(verdict, Updated)
            states[verdict.height], client_state = verdict.consensus_state, verdict.client_state
        assert target in states
        assert len(headers) > 1


async def test_attack_G1_endpoint_of_another_chain_is_refused():
    async with running_devnet(Genesis(5), Pace(100, 50)) as devnet:
        settings = EvmSettings(CHAIN_ID, (devnet.url,), RouterSettings("alpha", "0x" + "11" * 20), options=QUICK)
        async with open_evm_chain(settings, Random(1)) as chain:
            with pytest.raises(EndpointUnavailable, match="chain id is 5, expected 1001"):
                await chain.head()


async def test_attack_G1_devnet_that_takes_the_port_of_a_dead_one_is_refused_until_that_one_is_back(tmp_path):
    ours, home = Genesis(CHAIN_ID), tmp_path / "ours"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = EvmSettings(CHAIN_ID, (url,), RouterSettings("alpha", "0x" + "11" * 20), options=QUICK)
    async with open_evm_chain(settings, Random(1)) as chain:
        async with running_devnet(ours, Pace(100, 50), home=home, port=port):
            first = await chain.head()
        with pytest.raises(EndpointUnavailable) as caught:
            await chain.head()
        assert not caught.value.foreign
        async with running_devnet(Genesis(9), Pace(100, 50), port=port):
            with pytest.raises(EndpointUnavailable, match=f"chain id is 9, expected {CHAIN_ID}"):
                await chain.head()
            said = another_chain(chain)
            assert said is not None and f"chain id is 9, expected {CHAIN_ID}" in said
        async with running_devnet(ours, Pace(100, 50), home=home, port=port):
            assert (await chain.head()).height >= first.height
            assert another_chain(chain) is None


@pytest.mark.long
async def test_refused_calls_say_why():
    async with evm_setting() as setting:
        stranger = Signer.in_memory(bytes(31) + b"\x55")
        transactor = Transactor(setting.chain.execution, CHAIN_ID, stranger)
        with pytest.raises(RefusedByChain) as caught:
            await deployment.set_hub_client(transactor, setting.mailbox, "client-0")
        with pytest.raises(RefusedByChain, match="no contract is at 0x0+123; correct the address"):
            await deployment.set_forwarded_peer(setting.transactor, bytes(18) + b"\x01\x23", "bft-evm-1", "beta")
        assert caught.value.name == "AccessManagedUnauthorized"
        assert Account.from_key(bytes(31) + b"\x55").address.lower() in caught.value.reason
        with trio.fail_after(60):
            with pytest.raises(RefusedByChain) as caught:
                data = SEND_MESSAGE.encode("client-9", "0x" + "22" * 20, b"x", int(time.time()) + 60)
                await setting.transactor.send(setting.mailbox, data)
        assert caught.value.name == "IBCCounterpartyClientNotFound" or "client-9" in caught.value.reason


@pytest.mark.long
async def test_trial_T4_a_packet_that_was_there_already_is_a_noop_and_leaves_a_trace(monkeypatch):
    """Of a pending transaction, of who sent it, and of its having come too late."""
    async with evm_setting() as setting:
        chain, client, hub = setting.chain, setting.client, setting.hub
        payload = Payload("gmpport", "gmpport", "ics27-2", ABI_ENCODING, b"\x01")
        packet = Packet(1, "bft-evm-0", client, int(time.time()) + 600, (payload,))
        hub.put(commitment_key(packet), packet_commitment(packet))
        trusted = (await chain.client(client)).latest_height.revision_height
        hub.advance(2)
        setting.sync_hub()
        at = setting.hub_height()
        header = encode_tendermint_header(hub.update(at, trusted))
        proof, _, _ = hub.prove(commitment_key(packet), at)
        messages = [UpdateClient(client, header), RecvPacket(packet, proof, Height(1, at))]
        assert await chain.receipt(client, 1, NEWEST) is None and not chain.has_unfinal_blocks
        assert await chain.pooled_packets() == ()
        signer = setting.transactor.signer

        make, held = setting.devnet.chain.add_block, trio.Event()

        async def add_block():
            await held.wait()
            return await make()

        monkeypatch.setattr(setting.devnet.chain, "add_block", add_block)
        await trio.sleep(0.3)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit_alone, chain, signer, messages)
            with trio.fail_after(60):
                while not (pooled := await chain.pooled_packets()):  # noqa: ASYNC110  a pool raises no event
                    await trio.sleep(0.05)
            held.set()
        assert pooled == (PooledPacket(PacketEventKind.WRITE_ACKNOWLEDGEMENT, client, 1, signer.address),)
        assert await chain.receipt(client, 1, NEWEST) is not None and await chain.pooled_packets() == ()

        _, signed, outcome = await submit_alone(chain, signer, messages)
        assert (outcome.reverted, outcome.failures, outcome.noops) == (None, (), (1,))
        assert chain.idle_transactions() == ()
        await chain.packet_events(outcome.height, outcome.height)
        assert chain.idle_transactions() == (signed.hash,) and chain.idle_transactions() == ()
        assert await chain.relayed_by(signed.hash) == Relayed(signer.address, frozenset({client}))
        assert await chain.relayed_by(bytes(32)) is None
