"""Disk of a hub over many blocks, kept and pruned: `python -m bench.hub.pruning [blocks]` prints one line of JSON for each.

Every block writes 20 slots of 2 000 in a contract and 20 keys of 2 000 in the tree, so that the state itself stays as large.
Pages are those in use in the database; a free page is used again, so the file is as large as they ever were.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.chain import pruning
from hutong.relay.hub.chain.pruning import KEEP_ALL, Pruner, Retention
from hutong.relay.hub.state.view import StateView
from tests.relay.hub.simulated_hub import SimulatedHub

SLOTS = 2_000
WRITES = 20
MOST_KEPT = 2_000
"""Blocks of the run that keeps all, whose growth is a straight line."""
# for 20 times: SSTORE(CALLDATALOAD(0) + n, NUMBER)
_WRITER = b"".join(bytes.fromhex("43600035") + bytes([0x60, n, 0x01, 0x55]) for n in range(WRITES)) + b"\x00"
_WRITER_INIT = bytes.fromhex(f"60{len(_WRITER):02x}600c60003960{len(_WRITER):02x}6000f3") + _WRITER


def used_bytes(store: LmdbStore) -> int:
    stat = store._environment.stat()
    pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    return int(stat["psize"]) * int(pages)


def run(blocks: int, retention: Retention, directory: Path) -> dict[str, object]:
    store = LmdbStore(directory, map_bytes=2**36, sync=False)
    hub = SimulatedHub(store=store)
    (deployed,) = hub.advance(hub.raw(None, _WRITER_INIT))
    assert deployed.ok
    receipts = hub.application.blocks.receipts(hub.height)
    assert receipts is not None
    contract = receipts[0].contract_address
    hub.ledger.pruner = Pruner(store, hub.application, hub.ledger.records, retention)
    changes = StateView.changes

    def with_keys(view: StateView) -> object:
        """The keys that packets would write, put beside what the block itself wrote."""
        found = dict(changes(view))
        if found:
            for number in range(WRITES):
                sequence = (hub.height * WRITES + number) % SLOTS + 1
                found[path_key("07-tendermint-0", PathKind.COMMITMENT, sequence)] = hub.height.to_bytes(32, "big")
        return found

    StateView.changes = with_keys  # type: ignore[assignment,method-assign]
    sizes, began = [], time.process_time()
    try:
        for number in range(blocks):
            first = number * WRITES % SLOTS
            (outcome,) = hub.advance(hub.raw(contract, first.to_bytes(32, "big"), gas=2_000_000))
            assert outcome.ok
            if (number + 1) % max(blocks // 10, 1) == 0:
                sizes.append(used_bytes(store) // 1024)
    finally:
        StateView.changes = changes  # type: ignore[method-assign]
    oldest, height = hub.application.state.oldest_version(), hub.height
    oldest_block = hub.ledger.records.first_height()
    cpu_s = time.process_time() - began
    store.close()
    return {
        "blocks": height,
        "oldest_state": oldest,
        "oldest_block": oldest_block,
        "used_kib": sizes,
        "file_kib": (directory / "data.mdb").stat().st_blocks // 2,
        "ms_per_block": round(1000 * cpu_s / blocks, 2),
    }


def main() -> None:
    blocks = int((*sys.argv[1:], "10000")[0])
    runs = (("pruned", Retention(1, 1_024), blocks), ("kept", KEEP_ALL, min(blocks, MOST_KEPT)))
    for name, retention, made in runs:
        with tempfile.TemporaryDirectory() as directory:
            result = {"run": name, "least_states": pruning.LEAST_STATES, **run(made, retention, Path(directory))}
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
