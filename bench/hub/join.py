"""A node joins a large hub by state sync, as a person does it: two processes, `hutong hub start` and `hutong hub join`.

`python -m bench.hub.join [SMT keys] [EVM slots]` prints one line of JSON. The last bit of `valid` says that every block
from the snapshot on was verified and that both nodes have one app hash.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from bench.large_trie import storage_root
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.relay.evm.chain.block_store import store_block
from hutong.relay.evm.store.database import WritableTable
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.store.trie_database import TrieDatabase
from hutong.relay.evm.vm.accounts import EMPTY_CODE_HASH
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.application.genesis import Genesis, HubParams
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE
from hutong.relay.hub.chain.block_records import store_block_records
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.home.initialise import NewHub, initialise_home
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.versions import node_row, value_row, version_rows
from tests.relay.hub.simulated_hub import VALIDATOR, SimulatedHub

CONTRACT = b"\x77" * 20
FILLED_HEIGHT = 3
SNAPSHOT_HEIGHT = 5


class FilledHub(SimulatedHub):
    """One validator's chain, whose state grew by magic in one block: nobody who joins later executes that one."""

    def fill(self, keys: int, slots: int) -> None:
        """The state after the newest block. Its successor commits to it."""
        height, ledger = self.height, self.ledger
        state = self.application.state
        block = self.application.blocks.head()
        stored, commit, results = (
            ledger.records.block(height),
            ledger.records.commit(height),
            ledger.records.results(height),
        )
        assert block is not None and stored is not None and commit is not None and results is not None
        with self.store.batch() as batch:
            # Sorted insertion into a batch costs as much as the nodes do: these go to the disk in runs of their own.
            evm = WritableTable(batch, EVM_TABLE)
            trie = HexaryTrie(TrieDatabase(evm), block.header.state_root)
            account = [1, 0, self._slots(slots), EMPTY_CODE_HASH]
            trie[keccak(CONTRACT)] = rlp.encode(account)
            changes: dict[bytes, bytes | None] = {EVM_STATE_ROOT_KEY: trie.root_hash}
            for sequence in range(1, keys // 2 + 1):
                changes[path_key("07-tendermint-0", PathKind.COMMITMENT, sequence)] = sha256(b"%d" % sequence).digest()
                changes[path_key("07-tendermint-1", PathKind.RECEIPT, sequence)] = b"\x02"
            table = WritableTable(batch, STATE_TABLE)
            root, nodes = state.tree.update(state.require_root(height), changes)
            for node_hash, node in nodes.items():
                table.put(node_row(node_hash), node)
            for key, value in changes.items():
                assert value is not None
                table.put(*value_row(key, value, height))
            for row in version_rows(height, root):
                table.put(*row)
            header = replace(block.header, state_root=trie.root_hash)
            store_block(batch, replace(block, header=header), ())
            store_block_records(batch, stored.block, stored.block_id, commit, replace(results, app_hash=root))
        self.ledger = HubLedger(self.store, self.genesis)

    def _slots(self, slots: int) -> bytes:
        pending: list[tuple[bytes, bytes]] = []

        def flush() -> None:
            pending.sort()
            with self.store._environment.begin(write=True) as transaction:
                for key, node in pending:
                    transaction.put(EVM_TABLE + key, node)
            pending.clear()

        def store(node_hash: bytes, node: bytes) -> None:
            pending.append((node_hash, node))
            if len(pending) == 100_000:
                flush()

        root = storage_root(slots, lambda slot: 2**255 + slot, store)
        flush()
        return root


def fill_home(home: Path, keys: int, slots: int) -> Genesis:
    hub_time_ns = (time.time_ns() // 10**9 - 60) * 10**9
    new_hub = NewHub("hutong-1", 41_000, hub_time_ns, AdminSet((bytes(19) + b"\x01",), 1), HubParams())
    genesis = initialise_home(home, new_hub, VALIDATOR.private_key)
    store = LmdbStore(home / "data", map_bytes=2**36, sync=False)
    hub = FilledHub(store, genesis)
    while hub.height < SNAPSHOT_HEIGHT + 1:
        if hub.height == FILLED_HEIGHT:
            hub.fill(keys, slots)
        hub.advance(time_s=hub_time_ns // 10**9 + hub.height)
    store._environment.sync(True)
    store.close()
    # The chain was made outside a node, so the record of its key is where the chain is.
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.hub.engine.signing_record import floor_record
    from hutong.relay.hub.home.home import LAST_SIGNED_FILE
    from hutong.relay.hub.home.last_signed import encode_last_signed

    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(floor_record(SNAPSHOT_HEIGHT + 1)))
    return genesis


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hutong.relay.cli", "hub", *arguments]


@contextmanager
def member(home: Path) -> Iterator[str]:
    """URL of its CometBFT RPC."""
    arguments = ("start", "--home", str(home), "--port", "0", "--cometbft-port", "0")
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"CometBFT (http://\S+)", process.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            process.terminate()


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["result"]


def run_measured(arguments: list[str]) -> tuple[float, float, int, str]:
    """Wall seconds, processor seconds, peak MiB, output."""
    began = time.monotonic()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, output


def measure(keys: int, slots: int, directory: Path) -> dict[str, object]:
    serving, joining = directory / "member", directory / "joining"
    began = time.monotonic()
    fill_home(serving, keys, slots)
    filled_s = time.monotonic() - began
    made = run_measured(command("snapshot", "make", "--home", str(serving), "--height", str(SNAPSHOT_HEIGHT)))
    with member(serving) as url:
        height = SNAPSHOT_HEIGHT + 4
        while int(asked(f"{url}/status")["sync_info"]["latest_block_height"]) < height:
            time.sleep(0.2)
        trusted = asked(f"{url}/commit?height={height}")["signed_header"]["commit"]["block_id"]["hash"]
        genesis = str(serving / "genesis.json")
        arguments = ("join", "--home", str(joining), "--genesis", genesis, "--from", url)
        joined = run_measured(command(*arguments, "--trust-height", str(height), "--trust-hash", trusted))
        found = re.search(r"at block (\d+): (\d+) blocks verified, app hash ([0-9a-f]{64})", joined[3])
        assert found is not None, joined[3]
        header = asked(f"{url}/header?height={found[1]}")["header"]
    return {
        "smt_keys": keys,
        "evm_slots": slots,
        "filled_s": round(filled_s, 1),
        "snapshot_s": round(made[0], 1),
        "snapshot_cpu_s": round(made[1], 1),
        "joined_s": round(joined[0], 1),
        "joined_cpu_s": round(joined[1], 1),
        "joined_peak_mib": joined[2],
        "snapshot_height": SNAPSHOT_HEIGHT,
        "joined_at": int(found[1]),
        "blocks_verified": int(found[2]),
        "valid": int(found[2]) == int(found[1]) - SNAPSHOT_HEIGHT and header["app_hash"] == found[3].upper(),
    }


def main() -> None:
    keys, slots = (int(argument) for argument in (*sys.argv[1:], "100000", "1000000")[:2])
    with tempfile.TemporaryDirectory() as directory:
        sys.stdout.write(json.dumps(measure(keys, slots, Path(directory))) + "\n")


if __name__ == "__main__":
    main()
