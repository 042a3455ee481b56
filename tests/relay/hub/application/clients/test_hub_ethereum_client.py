"""The hub holds a client of Ethereum: packets both ways, timeouts, rotation, a fork that freezes, a mainnet committee's update."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    Fork,
    ForkActivation,
    TrustedCommittees,
    decode_client_state,
    encode_client_state,
)
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from tests.relay.hub.application.clients.ethereum_remote import EthereumRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import refused
from tests.relay.hub.simulated_hub import ANSWER, SimulatedHub, hub_genesis, sent_packet, written_acknowledgement

FAILED = abi.VERIFICATION_FAILED


@pytest.fixture
def ethereum(hub):
    return EthereumRemote(hub)


def status(hub, client_id: str) -> str:
    return hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client_id)


def client_of(hub, client_id: str):
    return decode_client_state(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATE, client_id))


def test_packet_from_ethereum_goes_on_and_its_answer_comes_back(hub, chain_b, ethereum):
    packet = ethereum.send_forward(chain_b.client)
    slot = ethereum.update()
    chain_b.update()
    outcome = hub.send(ROUTER_ADDRESS, ethereum.receive_call(packet, slot))
    assert outcome.ok, (outcome.log, outcome.data)
    leg_2 = sent_packet(outcome)
    assert leg_2.source_client == chain_b.client
    settled, acknowledgement = written_acknowledgement(chain_b.answer(leg_2))
    assert settled == packet
    assert acknowledgement == Acknowledgement((ANSWER,))


def test_packet_to_ethereum_is_acknowledged_or_times_out_by_its_own_clock(hub, chain_a, ethereum):
    ethereum.update()
    first, second = (chain_a.send_forward(ethereum.client) for _ in range(2))
    height = chain_a.update()
    legs = [sent_packet(hub.send(ROUTER_ADDRESS, chain_a.receive_call(packet, height))) for packet in (first, second)]
    settled, acknowledgement = written_acknowledgement(ethereum.answer(legs[0]))
    assert (settled, acknowledgement) == (first, Acknowledgement((ANSWER,)))
    early = ethereum.update()
    refused(hub, ethereum.timeout_call(legs[1], early))
    late = ethereum.update(slots=100, with_committee=True)
    settled, acknowledgement = written_acknowledgement(hub.send(ROUTER_ADDRESS, ethereum.timeout_call(legs[1], late)))
    assert (settled, acknowledgement) == (second, ERROR)


def test_committees_rotate_through_the_hub(hub, ethereum):
    for _ in range(3):
        slot = ethereum.update(slots=64, with_committee=True)
        assert client_of(hub, ethereum.client).committees == ethereum.chain.trusted(slot)
    skipped = ethereum.finalize(slots=128)
    assert refused(hub, ethereum.update_call(skipped), FAILED)[0] == "signature_period_known"


def test_attack_C30_hub_too_few_signers(hub, ethereum):
    slot = ethereum.finalize()
    assert refused(hub, ethereum.update_call(slot, members=range(21)), FAILED)[0] == "enough_participants"
    assert hub.send(ROUTER_ADDRESS, ethereum.update_call(slot, members=range(22))).ok


def test_attack_C33_hub_block_that_is_not_final_proves_nothing(hub, chain_b, ethereum):
    packet = ethereum.send_forward(chain_b.client)
    slot = ethereum.finalize()
    refused(hub, ethereum.receive_call(packet, slot))
    assert hub.send(ROUTER_ADDRESS, ethereum.update_call(slot)).ok
    chain_b.update()
    assert hub.send(ROUTER_ADDRESS, ethereum.receive_call(packet, slot)).ok


def test_attack_C37_hub_fork_freezes_until_recovery(hub, chain_b, ethereum):
    packet = ethereum.send_forward(chain_b.client)
    slot = ethereum.update()
    outcome = hub.send(ROUTER_ADDRESS, ethereum.misbehaviour_call(slot))
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(ethereum.client,)]
    assert status(hub, ethereum.client) == "Frozen"
    refused(hub, ethereum.receive_call(packet, slot))
    ethereum.finalize()
    substitute = ethereum.create()
    assert hub.execute(recover_client_action(hub.next_salt(), ethereum.client, substitute)).ok
    assert status(hub, ethereum.client) == "Active"
    chain_b.update()
    later = ethereum.update()
    assert hub.send(ROUTER_ADDRESS, ethereum.receive_call(packet, later)).ok


def test_active_client_learns_of_a_fork_without_waiting_to_expire(hub, chain_b, ethereum):
    """A client that does not know a fork refuses every header after it, for its whole trusting period."""
    packet = ethereum.send_forward(chain_b.client)
    before = ethereum.update()
    own = client_of(hub, ethereum.client)
    activation = ForkActivation(Fork.FULU, b"\7\0\0\x38", own.network.epoch_at(before) + 1)
    longer = replace(own.network, forks=(*own.network.forks, activation))
    ethereum.chain.network = longer
    after = ethereum.finalize(slots=own.network.preset.slots_per_epoch)
    assert refused(hub, ethereum.update_call(after), FAILED)[0] == "signed_by_committee"
    assert status(hub, ethereum.client) == "Active"

    def recover(state) -> object:
        stored = hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CONSENSUS_STATE, ethereum.client, (0, before))
        substitute = hub.create_client("ethereum", encode_client_state(state), stored)
        return hub.execute(recover_client_action(hub.next_salt(), ethereum.client, substitute))

    committees = own.committees
    again = replace(longer, forks=(*own.network.forks, replace(activation, epoch=activation.epoch - 1)))
    for unfit in (
        own,
        replace(own, network=again),
        replace(own, network=longer, trusting_period_s=own.trusting_period_s + 1),
        replace(own, network=longer, committees=replace(committees, next_root=b"\7" * 32)),
        replace(own, network=longer, committees=replace(committees, current_root=b"\7" * 32)),
        replace(own, network=longer, committees=TrustedCommittees(before, committees.current_root, None)),
    ):
        assert recover(unfit).reverted_with(FAILED)[0] == "subject_needs_recovery"
        assert client_of(hub, ethereum.client) == own
    assert recover(replace(own, network=longer)).ok
    assert client_of(hub, ethereum.client) == replace(own, network=longer)
    assert hub.send(ROUTER_ADDRESS, ethereum.update_call(after)).ok
    chain_b.update()
    assert hub.send(ROUTER_ADDRESS, ethereum.receive_call(packet, before)).ok  # what was proven before stays proven


def test_update_of_a_mainnet_committee_fits_a_transaction(hub):
    remote = EthereumRemote(hub, MAINNET_PRESET)
    slot = remote.finalize()
    call = remote.update_call(slot, with_committee=True)
    assert 52_000 < len(call) < MAX_TRANSACTION_BYTES // 2
    outcome = hub.send(ROUTER_ADDRESS, call)
    assert outcome.ok, (outcome.log, outcome.data)
    assert outcome.gas_used < 4_500_000


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_refusal_keeps_the_words_of_its_rules_version(version):
    """The next header hashes the revert, so blocks of versions 1 and 2 replay only with the sentence of their time."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
    ethereum = EthereumRemote(hub)
    before = ethereum.update()
    stored = hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CONSENSUS_STATE, ethereum.client, (0, before))
    substitute = hub.create_client("ethereum", encode_client_state(client_of(hub, ethereum.client)), stored)
    refusal = hub.execute(recover_client_action(hub.next_salt(), ethereum.client, substitute))
    word = "scheduled after" if version >= rules_versions.BOUNDED_EXECUTION else "behind"
    assert refusal.reverted_with(FAILED) == (
        "subject_needs_recovery",
        f"subject_needs_recovery: the subject is active: only forks {word} its newest header may differ",
    )
