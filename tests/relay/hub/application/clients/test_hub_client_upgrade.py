"""A chain under the hub goes into its next revision: anybody brings the committed states, packets in flight arrive."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.codec import decode_client_state, encode_upgrade
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.tendermint.upgrading_chain import PLAN_HEIGHT, UpgradingChain
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import STRANGER, forward_payload, sent_packet


def update(remote, header):
    hub = remote.hub
    hub.advance(time_s=max(hub.time_s, header.signed_header.header.time_ns // 10**9))
    outcome = hub.send(ROUTER_ADDRESS, remote.header_call(header))
    assert outcome.ok, (outcome.log, outcome.data)


@pytest.fixture
def remote(hub):
    return TendermintRemote(hub)


@pytest.fixture
def packet(remote, chain_b):
    """Sent by the old revision, not yet received here."""
    return remote.send(forward_payload(chain_b.client, remote.hub.time_s + 500))


@pytest.fixture
def planned(remote, packet):
    planned = UpgradingChain(old=remote.chain)
    update(remote, planned.old.update(PLAN_HEIGHT, remote.trusted))
    return planned


def client_rows(hub) -> dict[bytes, bytes]:
    rows = {key: value for key, value in content(hub).items() if key.startswith(b"clients/")}
    assert rows
    return rows


def upgrade_call(remote, upgrade) -> bytes:
    return abi.UPGRADE_CLIENT.call(remote.client, encode_upgrade(upgrade))


def test_anybody_upgrades_a_client_and_packets_of_both_revisions_arrive(hub, remote, packet, planned, chain_b):
    outcome = hub.send(ROUTER_ADDRESS, upgrade_call(remote, planned.upgrade()), STRANGER)
    assert outcome.ok, (outcome.log, outcome.data)
    assert outcome.events(abi.CLIENT_UPGRADED_EVENT) == [(remote.client, (2, 1))]
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_LATEST_HEIGHT, remote.client) == (2, 1)
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, remote.client) == "Active"
    state = decode_client_state(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATE, remote.client))
    assert (state.chain_id, state.latest_height) == ("sim-2", Height(2, 1))

    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, PLAN_HEIGHT)))

    remote.chain = planned.new
    later = remote.send(forward_payload(chain_b.client, hub.time_s + 500))
    planned.new.advance(2)
    refused(hub, receive_at(remote, later, 1), abi.VERIFICATION_FAILED)
    update(remote, planned.new.update(3, 1))
    assert sent_packet(hub.send(ROUTER_ADDRESS, receive_at(remote, later, 3)))


def receive_at(remote, packet, height: int) -> bytes:
    proof = remote.proof(commitment_key(packet), height)
    return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (2, height)))


def test_attack_C19_hub_upgrade_that_the_chain_did_not_commit(hub, remote, planned):
    good = planned.upgrade()
    before = client_rows(hub)
    for upgrade, name in (
        (replace(good, client_state=replace(good.client_state, chain_id="evil-2")), "value_matches"),
        (
            replace(good, consensus_state=replace(good.consensus_state, next_validators_hash=b"\x66" * 32)),
            "value_matches",
        ),
        (planned.upgrade(PLAN_HEIGHT - 2), "root_matches"),
    ):
        revert = hub.send(ROUTER_ADDRESS, upgrade_call(remote, upgrade), STRANGER)
        assert revert.reverted_with(abi.VERIFICATION_FAILED)[0] == name
    assert client_rows(hub) == before
    assert hub.send(ROUTER_ADDRESS, upgrade_call(remote, good), STRANGER).ok
    again = hub.send(ROUTER_ADDRESS, upgrade_call(remote, good), STRANGER)
    assert again.reverted_with(abi.VERIFICATION_FAILED)[0] == "revision_increases"
    assert client_rows(hub) != before


def test_attack_C19_hub_upgrade_before_the_last_block_or_of_a_frozen_client(hub, remote, packet):
    planned = UpgradingChain(old=remote.chain)
    early = hub.send(ROUTER_ADDRESS, upgrade_call(remote, planned.upgrade()))
    assert early.reverted_with(abi.VERIFICATION_FAILED)
    update(remote, planned.old.update(PLAN_HEIGHT, remote.trusted))
    chain = planned.old
    evidence = remote.misbehaviour_call(chain.update(5, 1), chain.update(5, 1, chain.fork(5, app_hash=b"\x07" * 32)))
    assert hub.send(ROUTER_ADDRESS, evidence).ok
    refused(hub, upgrade_call(remote, planned.upgrade()), abi.CLIENT_NOT_ACTIVE)


def test_attack_C19_hub_upgrade_of_a_client_that_has_none(hub, chain_a):
    call = abi.UPGRADE_CLIENT.call(chain_a.client, b"\x01")
    assert refused(hub, call, abi.VERIFICATION_FAILED)[0] == "UnsupportedOperation"
    assert refused(hub, abi.UPGRADE_CLIENT.call("07-tendermint-99", b"\x01"), abi.CLIENT_NOT_FOUND)


def test_attack_H_hub_upgrade_of_garbage_reverts(hub, remote, planned):
    raw = encode_upgrade(planned.upgrade())
    for data in (b"", b"\xff" * 300, raw[:-1], raw + b"\x00"):
        refused(hub, abi.UPGRADE_CLIENT.call(remote.client, data), abi.VERIFICATION_FAILED)
