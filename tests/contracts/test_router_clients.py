"""Client registry, ports, rights and batches of the Router."""

import pytest

from hutong.contracts.roles import RELAYER_ROLE
from hutong.light_clients.ibc.commitment import receipt_key
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.types import TrustLevel
from tests.contracts.evm import SENDER
from tests.contracts.lane import (
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    RELAYER,
    STRANGER,
    Lane,
    deploy_hub_client,
    new_lane,
    relay_call,
)
from tests.contracts.test_router_packets import refused
from tests.light_clients.tendermint.simulated_chain import DAY_NS, SimulatedChain

INFO = (HUB_SIDE_CLIENT, MERKLE_PREFIX)
OTHER_INFO = ("bft-evm-8", MERKLE_PREFIX)


@pytest.fixture
def lane():
    return new_lane(Lane)


def another_client(lane, **changes):
    return deploy_hub_client(lane.evm, lane.chain, lane.chain.latest.header.height, **changes)


# adding


def test_identifiers_are_numbered_and_custom_ones_checked(lane):
    assert lane.router.call("getNextClientSeq") == 1
    outcome = lane.router.transact("addClient", OTHER_INFO, another_client(lane).address)
    assert outcome.value == "client-1"
    assert outcome.named("ICS02ClientAdded")[0]["clientId"] == "client-1"
    contract = another_client(lane)
    assert (
        lane.router.transact("addClient", "hub-main-7", ("bft-evm-9", MERKLE_PREFIX), contract.address).value
        == "hub-main-7"
    )
    assert lane.router.call("getClient", "hub-main-7") == contract.text
    assert lane.router.call("getCounterparty", "hub-main-7") == ("bft-evm-9", MERKLE_PREFIX)
    assert lane.router.call("getNextClientSeq") == 2


@pytest.mark.parametrize(
    "client_id",
    [
        "",
        "hub-1",
        "client-77",
        "channel-77",
        "hubwithoutnumber",
        "hub--main-",
        "-hubmain-1",
        "hubmain--1",
        "hub main-1",
        "hub/main-1",
        "hubmain-" + "1" * 21,
        "h" * 63 + "-1",
        "hubmaïn-1",
    ],
)
def test_attack_E14_contract_custom_identifiers(lane, client_id):
    refused(
        lambda: lane.router.transact("addClient", client_id, OTHER_INFO, another_client(lane).address),
        "IBCInvalidClientId",
    )
    assert lane.router.transact("addClient", "hubmain-" + "1" * 20, OTHER_INFO, another_client(lane).address).value


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (("", MERKLE_PREFIX), "IBCInvalidClientId"),
        (("x" * 65, MERKLE_PREFIX), "IBCInvalidClientId"),
        ((HUB_SIDE_CLIENT, ()), "InvalidMerklePrefix"),
        ((HUB_SIDE_CLIENT, (b"", b"x")), "InvalidMerklePrefix"),
    ],
)
def test_attack_E14_contract_counterparties(lane, info, name):
    refused(lambda: lane.router.transact("addClient", info, another_client(lane).address), name)
    assert (
        lane.router.transact("addClient", ("bft-evm-8", (b"ibc", b"")), another_client(lane).address).value
        == "client-1"
    )


def test_attack_E14_contract_register_twice_or_by_a_stranger(lane):
    contract = another_client(lane)
    refused(
        lambda: lane.router.transact("addClient", OTHER_INFO, contract.address, sender=STRANGER),
        "AccessManagedUnauthorized",
    )
    refused(
        lambda: lane.router.transact("addClient", "hubmain-1", OTHER_INFO, contract.address, sender=STRANGER),
        "AccessManagedUnauthorized",
    )
    lane.router.transact("addClient", "hubmain-1", OTHER_INFO, contract.address)
    refused(
        lambda: lane.router.transact("addClient", "hubmain-1", OTHER_INFO, another_client(lane).address),
        "IBCClientAlreadyExists",
    )
    refused(lambda: lane.router.transact("addClient", OTHER_INFO, contract.address), "InvalidLightClient")
    refused(lambda: lane.router.transact("addClient", OTHER_INFO, STRANGER), "InvalidLightClient")


def test_client_that_has_expired_is_not_taken(lane):
    contract = another_client(lane)
    with lane.evm.at(lane.evm.timestamp_s + 8 * 86_400):
        refused(lambda: lane.router.transact("addClient", OTHER_INFO, contract.address), "InvalidLightClient")
    assert lane.router.transact("addClient", OTHER_INFO, contract.address).value == "client-1"


def test_unknown_clients(lane):
    refused(lambda: lane.router.call("getClient", "client-9"), "IBCClientNotFound")
    refused(lambda: lane.router.call("getCounterparty", "client-9"), "IBCCounterpartyClientNotFound")
    refused(lambda: lane.router.transact("updateClient", "client-9", b""), "IBCClientNotFound")
    refused(lambda: lane.router.transact("submitMisbehaviour", "client-9", b""), "IBCClientNotFound")


# recovery


def frozen_lane():
    lane = new_lane(Lane)
    height = lane.advance(3)
    one = lane.chain.update(height, lane.trusted)
    two = lane.chain.update(height, lane.trusted, lane.chain.fork(height, app_hash=b"\xee" * 32))
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, lane.misbehaviour_message(one, two), sender=STRANGER)
    assert lane.client.call("status") == 1
    return lane


def test_attack_C18_contract_recovery_by_a_fit_substitute():
    lane = frozen_lane()
    substitute = another_client(lane)
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address, sender=STRANGER),
        "AccessManagedUnauthorized",
    )
    outcome = lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    assert outcome.named("ICS02ClientMigrated")
    assert lane.router.call("getClient", LOCAL_CLIENT) == substitute.text
    lane.trusted = lane.chain.latest.header.height
    assert lane.send().sequence == 1
    assert lane.receive(lane.incoming()).named("WriteAcknowledgement")


def test_attack_C18_contract_active_client_is_never_replaced(lane):
    lane.advance(2)
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, another_client(lane).address),
        "ClientStillActive",
    )


def test_attack_C18_contract_substitutes_that_do_not_fit():
    lane = frozen_lane()
    other = SimulatedChain(chain_id="hutang-1")
    other.advance(9)
    unfit = {
        "other chain": deploy_hub_client(lane.evm, other, 5),
        "other trust level": another_client(lane, trust_level=TrustLevel(2, 3)),
        "other unbonding period": another_client(lane, unbonding_period_ns=22 * DAY_NS),
        "other drift": another_client(lane, max_clock_drift_ns=11 * NANOSECONDS_PER_SECOND),
    }
    for name, contract in unfit.items():
        error = refused(
            lambda contract=contract: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, contract.address),
            "SubstituteMismatch",
        )
        assert error.arguments == (contract.text,), name
    for account in (STRANGER, lane.client.address, lane.app.address):
        refused(
            lambda account=account: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, account),
            "InvalidLightClient",
        )
    fit = another_client(lane, trusting_period_ns=6 * DAY_NS)
    refused(
        lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, ("bft-evm-9", MERKLE_PREFIX), fit.address),
        "CounterpartyChanged",
    )
    assert lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, fit.address).named("ICS02ClientMigrated")


def test_attack_C18_contract_frozen_or_expired_substitute():
    lane = frozen_lane()
    substitute = another_client(lane)
    with lane.evm.at(lane.evm.timestamp_s + 8 * 86_400):
        refused(
            lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address), "InvalidLightClient"
        )
    height = lane.advance(3)
    below = substitute.call("latestHeight")[1]
    one = lane.chain.update(height, below)
    two = lane.chain.update(height, below, lane.chain.fork(height, app_hash=b"\xee" * 32))
    substitute.transact("misbehaviour", lane.misbehaviour_message(one, two))
    refused(lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address), "InvalidLightClient")


def test_expired_client_is_recovered(lane):
    lane.chain.advance(time_ns=lane.chain.latest.header.time_ns + 8 * DAY_NS)
    lane.evm.timestamp_s += 8 * 86_400
    assert lane.client.call("status") == 2
    refused(lane.send, "IBCClientNotActive")
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, another_client(lane).address)
    assert lane.send().sequence == 1


# ports


@pytest.mark.parametrize(
    "port", ["", "x", "a port", "a/port", "é" * 4, "client-1", "channel-1", "0x" + "ab" * 20, "p" * 129]
)
def test_ports_that_nobody_may_own(lane, port):
    app = lane.evm.deploy("HostileApp")
    refused(lambda: lane.router.transact("addIBCApp", port, app.address), "IBCInvalidPortIdentifier")
    lane.router.transact("addIBCApp", "p" * 128, app.address)


def test_ports_have_one_owner_with_code(lane):
    app = lane.evm.deploy("HostileApp")
    refused(lambda: lane.router.transact("addIBCApp", "gmpport", app.address), "IBCPortAlreadyExists")
    refused(lambda: lane.router.transact("addIBCApp", "new.port", STRANGER), "IBCInvalidApp")
    refused(
        lambda: lane.router.transact("addIBCApp", "new.port", app.address, sender=STRANGER), "AccessManagedUnauthorized"
    )
    refused(lambda: lane.router.transact("addIBCApp", app.address, sender=STRANGER), "AccessManagedUnauthorized")
    assert lane.router.transact("addIBCApp", app.address).named("IBCAppAdded")[0]["portId"] == app.text
    refused(lambda: lane.router.call("getIBCApp", "nobody"), "IBCAppNotFound")


# who may relay


def test_relaying_may_be_kept_to_a_role():
    lane = Lane(open_relaying=False)
    lane.advance()
    message = lane.update_message(lane.chain.latest.header.height)
    refused(
        lambda: lane.router.transact("updateClient", LOCAL_CLIENT, message, sender=RELAYER), "AccessManagedUnauthorized"
    )
    outcome = lane.router.transact(
        "relayBatch", (relay_call(lane, "updateClient", LOCAL_CLIENT, message),), sender=RELAYER
    )
    assert outcome.value == (False,)
    lane.manager.transact("grantRole", RELAYER_ROLE, RELAYER, 0)
    assert lane.router.transact(
        "relayBatch", (relay_call(lane, "updateClient", LOCAL_CLIENT, message),), sender=RELAYER
    ).value == (True,)


def test_misbehaviour_may_be_reported_by_everyone():
    lane = Lane(open_relaying=False)
    height = lane.advance(2)
    one = lane.chain.update(height, lane.trusted)
    two = lane.chain.update(height, lane.trusted, lane.chain.fork(height, app_hash=b"\xee" * 32))
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, lane.misbehaviour_message(one, two), sender=STRANGER)
    assert lane.client.call("status") == 1


# batches


def test_batch_goes_on_after_a_failure(lane):
    packet, other = lane.incoming(1), lane.incoming(2)
    first, second = lane.receive_message(packet), lane.receive_message(other)
    broken = (first[0], b"", first[2])
    calls = (
        relay_call(lane, "recvPacket", broken),
        relay_call(lane, "recvPacket", first),
        relay_call(lane, "updateClient", LOCAL_CLIENT, b"nonsense"),
        relay_call(lane, "recvPacket", second),
    )
    outcome = lane.router.transact("relayBatch", calls, sender=RELAYER)
    assert outcome.value == (False, True, False, True)
    assert [event["index"] for event in outcome.named("BatchCallFailed")] == [0, 2]
    assert lane.app.call("received") == 2


def test_batch_shows_the_reason_of_a_failure(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    with lane.evm.at(packet.timeout_timestamp_s):
        outcome = lane.router.transact("relayBatch", (relay_call(lane, "recvPacket", message),))
    (failed,) = outcome.named("BatchCallFailed")
    from tests.contracts.evm import Reverted

    assert Reverted.of(failed["reason"], 0).name == "IBCInvalidTimeoutTimestamp"


def test_attack_E12_contract_batch_call_gets_exactly_its_gas(lane):
    """A call that burns everything costs its own limit; the next one still has what it asked for."""
    hungry, modest = lane.incoming(1), lane.incoming(2)
    first, second = lane.receive_message(hungry), lane.receive_message(modest)
    lane.app.transact("set", 3, b"ok", 0, bytes(20), b"")
    calls = (
        relay_call(lane, "recvPacket", first, gas=1_000_000),
        relay_call(lane, "recvPacket", second, gas=1_000_000),
    )
    outcome = lane.router.transact("relayBatch", calls, gas=3_000_000)
    assert outcome.value == (False, False)
    assert 2_000_000 < outcome.gas_used < 2_300_000
    assert lane.stored(receipt_key(hungry)) == bytes(32)


def test_attack_E12_contract_batch_with_too_little_gas_reverts_whole(lane):
    first, second = lane.receive_message(lane.incoming(1)), lane.receive_message(lane.incoming(2))
    calls = tuple(relay_call(lane, "recvPacket", message, gas=1_000_000) for message in (first, second))
    error = refused(lambda: lane.router.transact("relayBatch", calls, gas=900_000), "InsufficientBatchGas")
    assert error.arguments[0] == 0 and error.arguments[2] == 1_000_000
    error = refused(lambda: lane.router.transact("relayBatch", calls, gas=1_150_000), "InsufficientBatchGas")
    assert error.arguments[0] == 1
    assert lane.app.call("received") == 0
    assert lane.router.transact("relayBatch", calls, gas=2_000_000).value == (True, True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pause", ()),
        ("relayBatch", ((),)),
        ("multicall", ((),)),
        ("setAuthority", (STRANGER,)),
        ("addIBCApp", (STRANGER,)),
        ("getNextClientSeq", ()),
    ],
)
def test_attack_F12_contract_batches_hold_relay_calls_only(lane, name, arguments):
    refused(
        lambda: lane.router.transact("relayBatch", ((100_000, lane.router.calldata(name, *arguments)),)),
        "BatchSelectorNotAllowed",
    )
    refused(lambda: lane.router.transact("relayBatch", ((100_000, b"\x01\x02"),)), "BatchSelectorNotAllowed")
    assert lane.router.transact("relayBatch", ()).value == ()


def test_multicall_runs_all_or_nothing(lane):
    message = lane.receive_message(lane.incoming())
    calls = (lane.router.calldata("recvPacket", message), lane.router.calldata("recvPacket", message))
    outcome = lane.router.transact("multicall", calls, sender=RELAYER)
    assert len(outcome.named("WriteAcknowledgement")) == 1 and len(outcome.named("Noop")) == 1


def test_authority_is_changed_by_itself_alone(lane):
    refused(lambda: lane.router.transact("setAuthority", SENDER), "AccessManagedUnauthorized")
    assert lane.router.call("authority") == lane.manager.text
