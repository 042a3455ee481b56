"""Writes the recorded chain that every later version must replay: `python -m tests.relay.hub.recorded_chain` from the root.

A new record is made only with new rules; a difference without them is a fork.
"""

import base64
import json
from pathlib import Path

from light_clients.tendermint.codec import decode_commit, encode_commit
from relay.evm.database import MemoryStore
from relay.hub.application.genesis import decode_genesis, encode_genesis
from relay.hub.consensus.blocks import block_id_of, decode_block, encode_block
from relay.hub.node.ledger import HubLedger

FILE = Path(__file__).with_name("recorded_chain.json")


def replay(recorded: dict) -> HubLedger:
    """Apply every block to an empty store; each header is checked against what execution gave."""
    ledger = HubLedger(MemoryStore(), decode_genesis(recorded["genesis"].encode()))
    for height, item in enumerate(recorded["blocks"], 1):
        block = decode_block(base64.b64decode(item["block"]))
        commit = decode_commit(base64.b64decode(item["commit"]))
        assert ledger.accepts(block), height
        ledger.apply(block, block_id_of(block), commit)
        assert ledger.tip.app_hash.hex() == item["app_hash"], height
    return ledger


def main() -> None:
    from tests.relay.hub.test_hub_determinism import record_chain

    hub = record_chain()
    records = hub.ledger.records
    blocks = [
        {
            "block": base64.b64encode(encode_block(records.block(height).block)).decode(),
            "commit": base64.b64encode(encode_commit(records.commit(height))).decode(),
            "app_hash": records.results(height).app_hash.hex(),
        }
        for height in range(1, hub.height + 1)
    ]
    FILE.write_text(json.dumps({"genesis": encode_genesis(hub.genesis).decode(), "blocks": blocks}, indent=1) + "\n")


if __name__ == "__main__":
    main()
