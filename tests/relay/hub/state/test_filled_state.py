"""The state that figures are taken of is a hub's own: as if one commit had written all of it."""

from unittest.mock import patch

from bench.hub import filled_state
from bench.hub.filled_state import fill_state, filler
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.state import VersionedState
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis

KEYS = 500


def test_a_state_laid_down_in_bulk_has_root_and_rows_of_one_commit():
    genesis, commit = hub_genesis(), VersionedState.commit
    at_once, in_bulk = MemoryStore(), MemoryStore()

    def commit_all(state, batch, version, changes):
        return commit(state, batch, version, {**changes, **dict(map(filler, range(KEYS)))})

    with patch.object(VersionedState, "commit", commit_all):
        expected = HubLedger(at_once, genesis)
    with patch.object(filled_state, "RUN", 300):
        fill_state(in_bulk, lambda: HubLedger(in_bulk, genesis), KEYS)
    filled = HubLedger(in_bulk, genesis)
    assert filled.tip.app_hash == expected.tip.app_hash
    rows = [list(store.items(STATE_TABLE, STATE_TABLE + b"\xff")) for store in (in_bulk, at_once)]
    assert rows[0] == rows[1]


def test_a_hub_goes_on_from_a_filled_state():
    genesis, store = hub_genesis(), MemoryStore()
    fill_state(store, lambda: HubLedger(store, genesis), KEYS)
    hub = SimulatedHub(store, genesis)
    hub.advance()
    key, value = filler(KEYS - 1)
    assert hub.application.query("/key", key, hub.height, prove=True).value == value
