"""Who may open keys: named writers, or everybody where the hub says so; from genesis, by admins, by validators."""

import json

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    ActionKind,
    kinds_of_admins,
    kinds_of_validators,
    name_writer_action,
    set_observations_open_action,
)
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.observations.writers import MAX_GENESIS_WRITERS, ObservationRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.state import keys
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.observations.observed_chains import (
    STRANGER,
    WRITER,
    ObservedBft,
    key_of,
    observing_hub,
)
from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis

WRITER_ADDRESS = address_of(WRITER)


def genesis_with(table: object, **changed):
    document = json.loads(encode_genesis(hub_genesis(**changed))) | {"observations": table}
    return decode_genesis(json.dumps(document).encode())


def writer(hub, account=WRITER) -> tuple[int, int]:
    return tuple(hub.read(OBSERVATIONS_ADDRESS, interface.GET_WRITER, address_of(account)))


def test_a_genesis_names_writers_or_opens_keys_to_all():
    named = SimulatedHub(genesis=genesis_with({"open": False, "writers": {WRITER.address: 3}}))
    assert writer(named) == (3, 0)
    assert named.read(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL) is False
    opened = SimulatedHub(genesis=genesis_with({"open": True, "writers": {}}))
    assert opened.read(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL) is True
    chain = ObservedBft(opened)
    assert chain.observe(chain.put(), account=STRANGER).ok
    assert writer(opened, STRANGER) == (0, 1)


def test_the_genesis_table_is_canonical_bounded_and_of_version_4():
    good = {"open": False, "writers": {f"0x{WRITER_ADDRESS.hex()}": 3}}
    genesis = genesis_with(good)
    assert dict(genesis.tables) == {"observations": ObservationRules(False, ((WRITER_ADDRESS, 3),))}
    assert decode_genesis(encode_genesis(genesis)) == genesis
    assert genesis.digest != hub_genesis().digest
    many = {f"0x{number:040x}": 1 for number in range(2**16, 2**16 + MAX_GENESIS_WRITERS + 1)}
    for wrong in (
        {"open": False},
        {"open": 1, "writers": {}},
        {"open": False, "writers": {WRITER.address: 0}},
        {"open": False, "writers": {WRITER.address: 2**64}},
        {"open": False, "writers": {WRITER.address.lower(): 1, WRITER.address: 1}},
        {"open": False, "writers": {f"0x{0xFFFF:040x}": 1}},
        {"open": False, "writers": {"0x12": 1}},
        {"open": False, "writers": many},
        {"open": False, "writers": {}, "more": 1},
    ):
        with pytest.raises(MalformedInput, match="observations"):
            genesis_with(wrong)
    with pytest.raises(MalformedInput, match="rules version 4 on"):
        genesis_with(good, rules_version=rules_versions.BOUNDED_EXECUTION)


def test_a_hub_without_the_table_is_closed_and_names_nobody():
    hub = SimulatedHub()
    assert hub.read(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL) is False
    assert writer(hub) == (0, 0)
    assert dict(hub.view().with_prefix(b"observation/")) == {}


def test_admins_name_a_writer_change_its_limit_and_take_its_name_away():
    hub = SimulatedHub()
    named = hub.execute(name_writer_action(hub.next_salt(), WRITER_ADDRESS, 5))
    assert named.events(abi.OBSERVATION_WRITER_SET_EVENT) == [(5,)]
    assert writer(hub) == (5, 0)
    assert hub.execute(name_writer_action(hub.next_salt(), WRITER_ADDRESS, 2**64 - 1)).ok
    assert hub.execute(name_writer_action(hub.next_salt(), WRITER_ADDRESS, 0)).ok
    assert writer(hub) == (0, 0)
    assert hub.view().get(keys.observation_writer_key(WRITER_ADDRESS)) is None


def test_a_reserved_address_is_not_named():
    hub = SimulatedHub()
    refused = hub.execute(name_writer_action(hub.next_salt(), (0xFFFF).to_bytes(20, "big"), 5))
    assert refused.reverted_with(abi.VERIFICATION_FAILED)[0] == "nameable_address"


def test_a_hub_is_opened_and_closed_again():
    hub = SimulatedHub()
    chain = ObservedBft(hub)
    height = chain.put()
    opened = hub.execute(set_observations_open_action(hub.next_salt(), True))
    assert opened.events(abi.OBSERVATIONS_OPEN_SET_EVENT) == [(True,)]
    assert chain.observe(height, account=STRANGER).ok
    assert hub.execute(set_observations_open_action(hub.next_salt(), False)).ok
    again = chain.observe(height, (chain.absent,), STRANGER)
    assert again.reverted_with(interface.OBSERVATIONS_NOT_OPEN) == (STRANGER.address.lower(),)


def test_what_a_removed_writer_opened_may_be_closed_by_anybody():
    hub = observing_hub()
    chain = ObservedBft(hub)
    assert chain.observe(chain.put()).ok
    assert hub.execute(name_writer_action(hub.next_salt(), WRITER_ADDRESS, 0)).ok
    assert writer(hub) == (0, 1)
    close = interface.CLOSE_OBSERVATION.call(key_of(chain.client, chain.place))
    assert hub.send(OBSERVATIONS_ADDRESS, close, STRANGER).ok
    assert writer(hub) == (0, 0)
    assert chain.observation() is None
    left = dict(hub.view().with_prefix(b"observation/"))
    assert list(left) == [b"observation/client/" + chain.client.encode()]


def test_a_closed_key_is_opened_anew_by_a_writer_alone():
    hub = observing_hub()
    chain = ObservedBft(hub)
    height = chain.put()
    assert chain.observe(height).ok
    assert hub.send(
        OBSERVATIONS_ADDRESS, interface.CLOSE_OBSERVATION.call(key_of(chain.client, chain.place)), WRITER
    ).ok
    assert chain.observe(height, account=STRANGER).reverted_with(interface.OBSERVATIONS_NOT_OPEN) is not None
    assert chain.observe(height).ok
    assert writer(hub) == (100, 1)


def test_kinds_are_known_from_version_4_on():
    new = {ActionKind.NAME_WRITER, ActionKind.SET_OBSERVATIONS_OPEN}
    assert new <= kinds_of_admins(4) and new <= kinds_of_validators(4)
    for version in (1, 2, 3):
        assert not new & kinds_of_admins(version) and not new & kinds_of_validators(version)
    assert kinds_of_validators(3) == {ActionKind(number) for number in range(1, 14)}


@pytest.mark.parametrize("version", [2, 3])
def test_admins_of_earlier_rules_do_not_know_the_kinds(version):
    hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
    for action in (name_writer_action(1, WRITER_ADDRESS, 5), set_observations_open_action(2, True)):
        (_, sentence) = hub.execute(action).reverted_with(abi.ACTION_REFUSED)
        assert sentence in ("unknown kind 14", "unknown kind 15")


def test_validators_decide_the_same():
    hub = GovernedHub((10,))
    assert hub.execute(name_writer_action(1, WRITER_ADDRESS, 5)).ok
    assert hub.execute(set_observations_open_action(2, True)).ok
    assert writer(hub) == (5, 0) and hub.read(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL) is True
