"""List A: what other bridges lost money by, each class tried on these contracts with its honest twin."""

import pytest

from hutong.contracts.roles import MIGRATOR_ROLE, PAUSER_ROLE, selectors
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment, receipt_key
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.tendermint.types import ConsensusState
from tests.contracts.evm import SENDER, Reverted
from tests.contracts.lane import (
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    REMOTE_SENDER,
    STRANGER,
    client_state_tuple,
    consensus_state_tuple,
    deploy_hub_client,
    new_lane,
)
from tests.contracts.test_router_packets import refused
from tests.contracts.transfer.transfer_lane import ALICE, BOB, NO_LIMIT, SUPPLY, TransferLane
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

DAY_S = 86_400


@pytest.fixture
def lane():
    return new_lane(TransferLane)


def test_attack_A_qubit_contract_deposit_of_nothing_is_no_deposit(lane):
    """Qubit: the token path took an address without code for the native coin, whose transfer 'succeeded'."""
    for nothing in (bytes(20), b"\x12" * 20):
        refused(
            lambda nothing=nothing: lane.transfer.transact(
                "sendTransfer", LOCAL_CLIENT, nothing, 77, REMOTE_SENDER, "", lane.evm.timestamp_s + 60, sender=ALICE
            ),
            "NotAToken",
        )
    lane.token.transact("set", 4, 0, bytes(20), b"")
    refused(lambda: lane.send_tokens(77), "BalanceMismatch")
    lane.token.transact("set", 0, 0, bytes(20), b"")
    assert lane.send_tokens(77).named("SendPacket")


def test_attack_A_poly_contract_packets_call_no_contract_of_their_choice(lane):
    """Poly Network: a message chose target and method. Tokens call one token by two methods, and never the bridge."""
    grant = lane.manager.calldata("grantRole", 0, STRANGER, 0)
    for target in (lane.manager, lane.router, lane.transfer, lane.mailbox):
        assert not lane.arrives(lane.tokens("usd", 1, target.address, memo=grant.hex()))
        assert lane.reason.name == "InvalidReceiver"
        refused(
            lambda target=target: lane.transfer.transact(
                "sendTransfer", LOCAL_CLIENT, target.address, 1, "x", "", lane.evm.timestamp_s + 60, sender=ALICE
            ),
            "NotAToken",
        )
    assert lane.manager.call("hasRole", 0, STRANGER) == (False, 0)
    assert lane.arrives(lane.tokens("usd", 1, BOB))


def test_attack_A_wormhole_contract_verifier_is_the_registered_one(lane):
    """Wormhole: the caller brought the verifier. Here a client id leads to one contract, and nobody can name another."""
    packet = lane.tokens("usd", 100)
    message = lane.receive_message(packet)
    forged_chain = SimulatedChain(chain_id="hutong-1")
    lane.evm.deploy("HostileApp")
    impostor = deploy_hub_client(lane.evm, forged_chain, forged_chain.latest.header.height)
    for call in (
        ("addClient", (HUB_SIDE_CLIENT, MERKLE_PREFIX), impostor.address),
        ("migrateClient", LOCAL_CLIENT, (HUB_SIDE_CLIENT, MERKLE_PREFIX), impostor.address),
    ):
        refused(lambda call=call: lane.router.transact(*call, sender=STRANGER), "AccessManagedUnauthorized")
    # not even those who may: the client is Active
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, (HUB_SIDE_CLIENT, MERKLE_PREFIX), impostor.address),
        "ClientStillActive",
    )
    with pytest.raises(Reverted):
        lane.router.transact("recvPacket", (message[0], b"verified", message[2]))
    assert lane.router.transact("recvPacket", message).named("TransferReceived")


def test_attack_A_nomad_contract_empty_roots_heights_and_proofs_prove_nothing(lane):
    """Nomad: the zero root was trusted, so what was never proven counted as proven."""
    packet = lane.tokens("usd", 100)
    good = lane.receive_message(packet)
    for proof, height in (
        (b"", (0, 0)),
        (good[1], (0, 0)),
        (b"", good[2]),
        (bytes(32), good[2]),
        (good[1], (1, 10**9)),
    ):
        with pytest.raises(Reverted):
            lane.router.transact("recvPacket", (good[0], proof, height))
        assert lane.stored(receipt_key(packet)) == bytes(32)
    chain = lane.chain
    height = chain.latest.header.height
    state = chain.consensus_state(height)
    for broken in (
        ConsensusState(state.timestamp_ns, bytes(32), state.next_validators_hash),
        ConsensusState(state.timestamp_ns, state.root, bytes(32)),
        ConsensusState(0, state.root, state.next_validators_hash),
    ):
        with pytest.raises(Reverted):
            lane.evm.deploy("HubClient", client_state_tuple(chain.client_state(height)), consensus_state_tuple(broken))
    assert lane.router.transact("recvPacket", good).named("TransferReceived")


def test_attack_A_ronin_contract_threshold_and_initialisation(lane):
    """Ronin 2024: an upgrade left the threshold at zero. Nothing is initialised twice or upgraded; a zero is refused at birth."""
    names = {
        entry.get("name", "")
        for contract in (lane.router, lane.transfer, lane.client)
        for entry in contract.compiled.abi
    }
    assert not {name for name in names if name.lower().startswith(("initiali", "upgrade", "reinit"))}
    chain, height = lane.chain, lane.chain.latest.header.height
    state = list(client_state_tuple(chain.client_state(height)))
    for numerator, denominator in ((0, 3), (1, 4), (4, 3), (1, 0), (0, 0)):
        state[1:3] = numerator, denominator
        with pytest.raises(Reverted):
            lane.evm.deploy("HubClient", tuple(state), consensus_state_tuple(chain.consensus_state(height)))
    assert deploy_hub_client(lane.evm, chain, height).call("status") == 0


@pytest.mark.long
@pytest.mark.parametrize("loss", ["Harmony", "Orbit", "Multichain"])
def test_attack_A_stolen_keys_contract_lose_one_window_and_no_more(lane, loss):
    """Harmony, Orbit Chain, Multichain: enough keys were stolen. Then caps bound the loss, and large amounts wait for a pause."""
    lane.send_tokens(10_000)
    limit = (NO_LIMIT, 1_000, 500, 3600, DAY_S)
    lane.transfer.transact("setClientLimit", LOCAL_CLIENT, lane.token.address, limit)
    stolen = sum(lane.arrives(lane.tokens(lane.home(), 250)) for _ in range(10)) * 250
    assert (stolen, lane.balance(BOB)) == (1_000, 1_000)
    lane.pass_time_to(lane.evm.timestamp_s + 3600)
    assert lane.arrives(packet := lane.tokens(lane.home(), 1_000))
    assert lane.balance(BOB) == 1_000
    lane.transfer.transact("pause")
    lane.transfer.transact("cancelHeld", LOCAL_CLIENT, packet.sequence)
    assert lane.escrow() == 9_000, loss


def test_attack_A_huckleberry_contract_refused_receive_leaves_no_event(lane):
    """Huckleberry: events of a rolled-back receive stayed. Here they are gone with it, and only the router speaks."""
    lane.send_tokens(100)
    lane.token.transact("blockAccount", BOB, True)
    outcome = lane.receive(lane.tokens(lane.home(), 10))
    assert {event.name for event in outcome.events} == {"IBCAppRecvPacketCallbackError", "WriteAcknowledgement"}
    assert {event.address for event in outcome.events} == {lane.router.address}
    lane.token.transact("blockAccount", BOB, False)
    assert lane.receive(lane.tokens(lane.home(), 10)).named("TransferReceived")


def test_attack_A_asa_2024_007_contract_refund_cannot_be_entered_again(lane):
    """ibc-go ASA-2024-007: the commitment went after the callback, so a timeout inside the refund minted again."""
    packet = lane.sent(lane.send_tokens(100, timeout_in_s=60))
    lane.send_tokens(900)
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    message = lane.timeout_message(packet, height)
    seen = lane.router.calldata("getCommitment", keccak256(commitment_key(packet)))
    lane.token.transact("set", 5, 0, lane.router.address, seen)
    assert lane.router.transact("timeoutPacket", message, keep=False).named("TransferRefunded")
    outcome = lane.router.transact("timeoutPacket", message)
    assert len(outcome.named("TransferRefunded")) == 1
    # what the token's hook saw while the refund was being paid: the commitment was gone
    assert lane.token.call("callResult") == bytes(32)
    assert lane.router.transact("timeoutPacket", message).named("Noop")
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY - 900, 900)


def test_attack_A_dragonberry_contract_absence_of_what_is_there_refunds_nothing(lane):
    """Dragonberry: a forged absence turned a delivered packet into a timeout."""
    delivered, late = (lane.sent(lane.send_tokens(100, timeout_in_s=60)) for _ in range(2))
    lane.publish({receipt_key(delivered): b"\x02"})
    height = lane.pass_time_to(delivered.timeout_timestamp_s)
    honest = lane.timeout_message(late, height)
    for proof in (lane.proof(receipt_key(delivered), height), honest[1]):
        with pytest.raises(Reverted):
            lane.router.transact("timeoutPacket", (lane.timeout_message(delivered, height)[0], proof, honest[2]))
    assert lane.escrow() == 200
    assert lane.router.transact("timeoutPacket", honest).named("TransferRefunded")
    assert packet_commitment(delivered) == lane.stored(commitment_key(delivered))


def test_attack_A_ronin_contract_client_is_replaced_after_a_delay_that_pausers_can_use(lane):
    """Client migration with execution delay: decided, waited for, and cancelled or executed once."""
    manager, router = lane.manager, lane.router
    migrator = b"\x55" * 20
    delay_s = 2 * DAY_S
    manager.transact("revokeRole", MIGRATOR_ROLE, SENDER)
    manager.transact("grantRole", MIGRATOR_ROLE, migrator, delay_s)
    manager.transact("setRoleGuardian", MIGRATOR_ROLE, PAUSER_ROLE)
    assert selectors("Router", ("migrateClient",)) == (router.selector("migrateClient", 3),)
    lane.evm.timestamp_s += 20 * DAY_S
    chain = lane.chain
    chain.advance(time_ns=(lane.evm.timestamp_s - 1) * 10**9)
    substitute = deploy_hub_client(lane.evm, chain, chain.latest.header.height)
    arguments = (LOCAL_CLIENT, (HUB_SIDE_CLIENT, MERKLE_PREFIX), substitute.address)
    data = router.calldata("migrateClient", *arguments)
    for sender in (SENDER, STRANGER):
        refused(
            lambda sender=sender: router.transact("migrateClient", *arguments, sender=sender),
            "AccessManagedUnauthorized",
        )
    error = refused(lambda: router.transact("migrateClient", *arguments, sender=migrator), "AccessManagerNotScheduled")
    assert error.arguments
    manager.transact("schedule", router.address, data, 0, sender=migrator)
    refused(lambda: router.transact("migrateClient", *arguments, sender=migrator), "AccessManagerNotReady")
    manager.transact("cancel", migrator, router.address, data, sender=SENDER)
    lane.evm.timestamp_s += delay_s
    refused(lambda: router.transact("migrateClient", *arguments, sender=migrator), "AccessManagerNotScheduled")
    manager.transact("schedule", router.address, data, 0, sender=migrator)
    lane.evm.timestamp_s += delay_s
    assert router.transact("migrateClient", *arguments, sender=migrator).named("ICS02ClientMigrated")
    refused(lambda: router.transact("migrateClient", *arguments, sender=migrator), "AccessManagerNotScheduled")


def test_recovered_client_settles_the_stuck_refund(lane):
    """Rule 3 to its end: frozen client, nothing moves; substitute; the packet is refunded, once."""
    packet = lane.sent(lane.send_tokens(100))
    lane.evm.timestamp_s += 20 * DAY_S
    chain = lane.chain
    chain.advance(time_ns=(lane.evm.timestamp_s - 10) * 10**9)
    refused(lambda: lane.send_tokens(1), "IBCClientNotActive")
    substitute = deploy_hub_client(lane.evm, chain, chain.latest.header.height)
    lane.router.transact("migrateClient", LOCAL_CLIENT, (HUB_SIDE_CLIENT, MERKLE_PREFIX), substitute.address)
    lane.trusted = chain.latest.header.height
    message = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    assert lane.router.transact("ackPacket", message).named("TransferRefunded")
    assert lane.router.transact("ackPacket", message).named("Noop")
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY, 0)
