"""A hub that takes over what was done on another before goes on as one on which it is done anew."""

from tests.relay.hub import simulated_hub
from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub


def connected():
    hub = SimulatedHub()
    return hub, RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)


def test_a_hub_that_took_over_blocks_goes_on_as_one_that_made_them(monkeypatch):
    monkeypatch.setattr(simulated_hub, "CONNECTED", {})
    made, taken_over = connected(), connected()
    assert len(simulated_hub.CONNECTED) == 2
    monkeypatch.setattr(simulated_hub, "MOST_CONNECTED", 0)
    simulated_hub.CONNECTED.clear()
    anew = connected()
    told = []
    for hub, a, b in (made, taken_over, anew):
        begun = (hub.height, hub.app_hash, hub.time_s, hub.salt, dict(hub.nonces), dict(hub.store.items()))
        delivered = a.deliver(a.send_forward(b.client))
        told.append((begun, delivered, a.client, b.client, hub.height, hub.app_hash))
    assert told[0] == told[1] == told[2] and told[0][1].ok


def test_a_hub_on_which_something_else_was_done_takes_nothing_over():
    connected()
    hub = SimulatedHub()
    hub.advance()
    after = RemoteChain(hub, salt=1)
    assert hub.height > 1 and hub.ledger.records.block(2).block.transactions == ()
    assert after.deliver(after.send_forward(after.client)).ok
