"""Attack line G3: the demo's kills fall where they are said to fall."""

import json

import pytest

from hutong.adapters.ics26.abi import RELAY_BATCH
from hutong.relay.demo.chaos import Tripwire, Window

LOGS = json.dumps({"method": "eth_getLogs"}).encode()
NO_LOGS = b'{"jsonrpc":"2.0","id":1,"result":[]}'
SOME_LOGS = b'{"jsonrpc":"2.0","id":1,"result":[{"topics":["0x01"],"data":"0x"}]}'
READ = json.dumps({"method": "eth_call", "params": [{"data": "0x12345678"}]}).encode()
SIMULATION = json.dumps({"method": "eth_call", "params": [{"data": "0x" + RELAY_BATCH.selector.hex()}]}).encode()
RAW = json.dumps({"method": "eth_sendRawTransaction", "params": ["0x" + RELAY_BATCH.selector.hex()]}).encode()
HASH = b'{"jsonrpc":"2.0","id":1,"result":"0x01"}'
ERROR = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"nonce too low"}}'


@pytest.fixture
def kills():
    return []


@pytest.fixture
def armed(kills):
    def arm(window):
        wire = Tripwire()
        wire.arm(window, lambda: kills.append(window))
        return wire

    return arm


def test_nothing_trips_before_it_is_armed(kills):
    wire = Tripwire()
    assert not wire.before(RAW)
    assert not wire.after(RAW, HASH)
    assert not wire.tripped.is_set()


def test_between_read_and_enqueue_is_the_first_request_after_events_were_read(armed, kills):
    wire = armed(Window.READ_AND_ENQUEUE)
    assert not wire.before(LOGS)
    assert not wire.after(LOGS, NO_LOGS)
    assert not wire.before(READ)
    assert not wire.after(LOGS, SOME_LOGS)
    assert wire.before(READ)
    assert kills == [Window.READ_AND_ENQUEUE]


def test_between_enqueue_and_submit_is_the_simulation_of_a_batch(armed, kills):
    wire = armed(Window.ENQUEUE_AND_SUBMIT)
    assert not wire.before(READ)
    assert not wire.before(RAW)
    assert wire.before(SIMULATION)
    assert kills == [Window.ENQUEUE_AND_SUBMIT]


def test_between_record_and_submit_the_node_never_hears_of_the_transaction(armed, kills):
    wire = armed(Window.RECORD_AND_SUBMIT)
    assert not wire.before(SIMULATION)
    assert wire.before(RAW)
    assert kills == [Window.RECORD_AND_SUBMIT]


def test_between_submit_and_confirm_the_node_has_it_and_the_relay_does_not_know(armed, kills):
    wire = armed(Window.SUBMIT_AND_CONFIRM)
    assert not wire.before(RAW)
    assert not wire.after(RAW, ERROR)
    assert wire.after(RAW, HASH)
    assert kills == [Window.SUBMIT_AND_CONFIRM]


def test_a_wire_trips_once(armed, kills):
    wire = armed(Window.RECORD_AND_SUBMIT)
    assert wire.before(RAW)
    assert not wire.before(RAW)
    assert len(kills) == 1
    assert wire.tripped.is_set()
