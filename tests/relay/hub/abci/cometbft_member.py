"""A stopped member's home under CometBFT, whose application is at block 3 of a hub of four that can skip."""

import json
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.abci.address import socket_address
from hutong.relay.hub.abci.cometbft_home import (
    CometBftKeys,
    CometBftPlace,
    CometBftPorts,
    new_node_key,
    write_cometbft_home,
)
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application.abci import FinalizeBlockRequest
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import GENESIS_FILE
from hutong.relay.hub.home.process import open_store
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.upkeep.skip_keys import COMETBFT_STATE_FILE
from tests.relay.hub.skipping.skipping_hub import KEYS, SkippingHub


def request_of(block, block_id) -> FinalizeBlockRequest:
    header = block.header
    return FinalizeBlockRequest(
        header.height,
        header.time_ns,
        block_id.hash,
        header.proposer_address,
        block.transactions,
        header.version_app,
    )


def execute(home: Path, genesis, block, block_id, *, desk: bool = False) -> int:
    """As CometBFT has the application do; the height after it."""
    store = open_store(home)
    try:
        machine = HubMachine(store, genesis)
        if desk:
            machine.desk = SkipDesk(home, machine, LastSigned)
        machine.finalize_block(request_of(block, block_id))
        return machine.commit()
    finally:
        store.close()


def member_home(tmp_path: Path):
    """Home, the hub with a decided block 4 in `decided`, that block's id, the key."""
    hub, key, home = SkippingHub(), KEYS[0], tmp_path / "member"
    home.mkdir()
    write_durably(home / GENESIS_FILE, encode_genesis(hub.genesis))
    ports = CometBftPorts("127.0.0.1", 26_656, 26_657)
    place = CometBftPlace(socket_address(home / "abci.sock"), ports)
    write_cometbft_home(home, hub.genesis, CometBftKeys(key, new_node_key()), place)
    (home / COMETBFT_STATE_FILE).write_text(json.dumps({"height": "3", "round": 0, "step": 3}))
    for height in range(1, 4):
        stored = hub.ledger.records.block(height)
        execute(home, hub.genesis, stored.block, stored.block_id)
    hub.decided = hub.decide(hub.payment())
    return home, hub, hub.decided[1], key
