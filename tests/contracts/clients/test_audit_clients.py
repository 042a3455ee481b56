"""What the audit found of a router's clients: one counterparty for two of them (M5), and a height that is for ever (M4)."""

from dataclasses import replace

import pytest

from hutong.adapters.evm.hub_client import encode_update
from hutong.light_clients.ibc.commitment import packet_commitment
from tests.contracts.attested_lane import AttestedLane
from tests.contracts.lane import (
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    STRANGER,
    Lane,
    deploy_hub_client,
    new_lane,
)
from tests.contracts.test_router_packets import refused
from tests.light_clients.attestation.attested_chain import address_of, attestor_keys
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

INFO = (HUB_SIDE_CLIENT, MERKLE_PREFIX)
FAR_HEIGHT = 2**63 - 1


@pytest.fixture
def lane():
    return new_lane(Lane)


def another_client(lane, **changes):
    return deploy_hub_client(lane.evm, lane.chain, lane.chain.latest.header.height, **changes)


# M5


def test_audit_M5_contract_second_client_of_the_same_counterparty_is_refused(lane):
    second = another_client(lane, trusting_period_ns=lane.chain.client_state(1).trusting_period_ns - 10**9)
    error = refused(lambda: lane.router.transact("addClient", INFO, second.address), "CounterpartyTaken")
    assert error.arguments == (HUB_SIDE_CLIENT, LOCAL_CLIENT)
    refused(lambda: lane.router.transact("addClient", "hub-main-1", INFO, second.address), "CounterpartyTaken")
    # another name of the store's prefix is the same store; another remote client is another counterparty
    refused(
        lambda: lane.router.transact("addClient", (HUB_SIDE_CLIENT, (b"ibc", b"")), second.address), "CounterpartyTaken"
    )
    assert lane.router.transact("addClient", ("bft-evm-1", MERKLE_PREFIX), second.address).value == "client-1"


def test_audit_M5_contract_the_hubs_next_revision_is_the_same_hub(lane):
    later = SimulatedChain(chain_id="hutong-2")
    other = SimulatedChain(chain_id="hutang-1")
    contract = deploy_hub_client(lane.evm, later, later.latest.header.height)
    refused(lambda: lane.router.transact("addClient", INFO, contract.address), "CounterpartyTaken")
    contract = deploy_hub_client(lane.evm, other, other.latest.header.height)
    assert lane.router.transact("addClient", INFO, contract.address).value == "client-1"


def test_audit_M5_contract_chains_share_names_of_clients():
    """Every chain calls its first client of us alike: what differs is the chain, or its router."""
    lane = new_lane(AttestedLane)
    twin = lane.light_client(scope=lane.scope("client-1"))
    refused(lambda: lane.router.transact("addClient", INFO, twin.address), "CounterpartyTaken")
    for number, changes in ((1, {"source_chain_id": "31338"}), (2, {"source_router": b"\x01" * 20})):
        scope = replace(lane.scope(f"client-{number}"), **changes)
        assert (
            lane.router.transact("addClient", INFO, lane.light_client(scope=scope).address).value == f"client-{number}"
        )


def test_audit_M5_contract_a_recovered_client_keeps_its_counterparty(lane):
    lane.evm.timestamp_s += 8 * 86_400
    lane.chain.advance(time_ns=lane.evm.timestamp_s * 10**9)
    substitute = another_client(lane)
    refused(lambda: lane.router.transact("addClient", INFO, substitute.address), "CounterpartyTaken")
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    refused(lambda: lane.router.transact("addClient", INFO, another_client(lane).address), "CounterpartyTaken")


# M4


def test_audit_M4_contract_a_height_far_ahead_is_left_by_a_lower_substitute(lane):
    """All validators sign one header of a height that no block will ever have."""
    height = lane.advance(2)
    own = lane.chain.block(height)
    header = replace(own.header, height=FAR_HEIGHT)
    forged = replace(own, signed_header=lane.chain.sign(header, own.validators))
    update = encode_update(lane.chain.update(height, lane.trusted, forged))
    lane.router.transact("updateClient", LOCAL_CLIENT, update)
    assert lane.client.call("latestHeight")[1] == FAR_HEIGHT
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, another_client(lane).address),
        "ClientStillActive",
    )
    lane.evm.timestamp_s += 8 * 86_400
    lane.chain.advance(time_ns=lane.evm.timestamp_s * 10**9)
    substitute = another_client(lane)
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address, sender=STRANGER),
        "AccessManagedUnauthorized",
    )
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    lane.trusted = lane.chain.latest.header.height
    assert lane.receive(lane.incoming()).named("WriteAcknowledgement")


def test_audit_M4_contract_the_attestors_unit_error():
    """Milliseconds for a height; the substitute names others, since the signature on the error stays good."""
    lane = new_lane(AttestedLane)
    lane.advance()
    error = lane.chain.update(1_700_000_000_000, lane.chain.times_s[-1])
    lane.router.transact("updateClient", LOCAL_CLIENT, error)
    conflict = lane.chain.state_misbehaviour((9, lane.chain.times_s[-1]), (9, lane.chain.times_s[-1] + 1))
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, conflict, sender=STRANGER)
    lane.advance()
    lane.chain.keys = sorted([*lane.chain.keys[2:], *attestor_keys(2, 40)], key=address_of)
    substitute = lane.light_client(attestors=tuple(map(address_of, lane.chain.keys)))
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    refused(lambda: lane.router.transact("updateClient", LOCAL_CLIENT, error), "UnknownAttestor")
    packet = lane.incoming()
    assert packet_commitment(packet)
    assert lane.receive(packet).named("WriteAcknowledgement")


def test_audit_M4_contract_an_expired_substitute_is_no_lower_one(lane):
    """What it trusts is younger than the trusting period: a set that has left long ago vouches for nothing."""
    old = another_client(lane)
    lane.evm.timestamp_s += 8 * 86_400
    lane.chain.advance(time_ns=lane.evm.timestamp_s * 10**9)
    refused(lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, old.address), "InvalidLightClient")
    assert lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, another_client(lane).address)
