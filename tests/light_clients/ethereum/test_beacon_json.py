"""Beacon API JSON: the same values as SSZ gives, and damage that ends in a typed error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.ethereum import MAINNET, MINIMAL_PRESET, SEPOLIA, Fork, beacon_json
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from tests.light_clients.ethereum.beacon_api import bootstrap_object, genesis_of, spec_of, update_object
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of
from tests.light_clients.ethereum.verifying import chain_of

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PRESET = MINIMAL_PRESET


@pytest.fixture(scope="module")
def chain() -> SimulatedBeacon:
    return chain_of()


@pytest.mark.parametrize("with_committee", [True, False])
def test_updates_come_back(chain, with_committee):
    update = chain.update(FIRST_SLOT + 1, with_committee=with_committee)
    assert beacon_json.update(update_object(update), Fork.ELECTRA, PRESET) == update


def test_bootstrap_comes_back(chain):
    bootstrap = chain.bootstrap(FIRST_SLOT)
    value = bootstrap_object(bootstrap)
    assert beacon_json.bootstrap(value, Fork.ELECTRA, PRESET) == bootstrap


def test_numbers_are_read_as_decimal_texts_or_numbers_and_as_nothing_else():
    assert beacon_json.integer("18446744073709551615", "slot") == 2**64 - 1
    assert beacon_json.integer(7, "slot") == 7
    for value in (
        "18446744073709551616",
        "07",
        "+7",
        "-1",
        " 7",
        "0x7",
        "7.0",
        "",
        "٧",
        -1,
        2**64,
        True,
        7.0,
        None,
        [],
    ):
        with pytest.raises(MalformedInput):
            beacon_json.integer(value, "slot")


def test_hex_is_of_its_size():
    assert beacon_json.hex_bytes("0xAbcd", "x", 2) == beacon_json.hex_bytes("abcd", "x", 2) == b"\xab\xcd"
    for value in ("0xabc", "0xabcdef", "0xzz00", "0Xabcd", "", None, 7, b"ab", "0x" + "00" * 10_000):
        with pytest.raises(MalformedInput):
            beacon_json.hex_bytes(value, "x", 2)


def test_forks_by_name():
    assert beacon_json.fork_named("fulu") is Fork.FULU
    for name in ("phase0", "gloas"):
        with pytest.raises(UnsupportedOperation):
            beacon_json.fork_named(name)
    for name in ("", "Electra", "eip7594", None, 5, ["deneb"]):
        with pytest.raises(MalformedInput):
            beacon_json.fork_named(name)


@pytest.mark.parametrize("network", [MAINNET, SEPOLIA, network_of()], ids=["mainnet", "sepolia", "devnet"])
def test_network_of_a_node(network):
    spec = spec_of(network)
    assert beacon_json.network_from_beacon_api(spec, genesis_of(network)) == network
    millis = {name: value for name, value in spec.items() if name != "SECONDS_PER_SLOT"}
    millis["SLOT_DURATION_MS"] = str(1_000 * network.seconds_per_slot)
    assert beacon_json.network_from_beacon_api(millis, genesis_of(network)) == network
    with pytest.raises(UnsupportedOperation):
        beacon_json.network_from_beacon_api(millis | {"SLOT_DURATION_MS": "1500"}, genesis_of(network))


def test_fork_that_is_not_scheduled_is_left_out():
    spec = spec_of(MAINNET) | {"FULU_FORK_EPOCH": str(2**64 - 1)}
    network = beacon_json.network_from_beacon_api(spec, genesis_of(MAINNET))
    assert network.forks == MAINNET.forks[:-1]


@pytest.fixture(scope="module")
def document(chain) -> str:
    return json.dumps(update_object(chain.update(FIRST_SLOT + 1, with_committee=True)))


def paths_of(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


DAMAGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=40),
    st.lists(st.text(max_size=4), max_size=3),
    st.dictionaries(st.text(max_size=4), st.none(), max_size=2),
)


@FUZZ
@given(data=st.data())
def test_attack_H_damaged_json_ends_in_a_value_or_a_typed_error(document, data):
    value = json.loads(document)
    path = data.draw(st.sampled_from([path for path in paths_of(value) if path and len(path) < 5]))
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(DAMAGE)
    else:
        del holder[path[-1]]
    for read in (beacon_json.update, beacon_json.bootstrap):
        try:
            read(value, Fork.ELECTRA, PRESET)
        except VerificationError:
            pass


@FUZZ
@given(value=st.recursive(DAMAGE, lambda inner: st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6))
def test_attack_H_any_json_ends_in_a_typed_error(value):
    for read in (
        lambda: beacon_json.update(value, Fork.DENEB, PRESET),
        lambda: beacon_json.bootstrap(value, Fork.DENEB, PRESET),
        lambda: beacon_json.network_from_beacon_api(value, value),
        lambda: beacon_json.light_client_header(value, Fork.DENEB, "header"),
    ):
        with pytest.raises(VerificationError):
            read()
