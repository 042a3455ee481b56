"""The same transactions give the same roots and receipts under any hash seed: py-evm keeps sets of addresses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SCRIPT = """
from tests.relay.evm.evm_bytecode import assemble, call, deploy_code
from tests.relay.evm.evm_transactions import CHAIN_ID, FUNDED, signed
from hutong.relay.evm.store.database import MemoryStore, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.rules import EvmRules

contracts = [bytes([n]) * 20 for n in range(1, 12)]
for fork in ("paris", "prague"):
    store = MemoryStore()
    with store.batch() as batch:
        context = BlockContext(7, 1000, bytes(20), 10**8, bytes(32), lambda number: bytes(32))
        state = EvmState(WritableTable(batch, b"s"), EMPTY_STATE_ROOT, EvmRules(fork, CHAIN_ID), context)
        for place, address in enumerate(contracts):
            code = assemble(place, place, "SSTORE") + assemble(contracts[place - 1], "SELFDESTRUCT")
            state.set_account(address, GenesisAccount(place, 1, code, {5: place + 1}))
        root = b"\\xee" * 20
        calls = b"".join(call("CALL", address, 100_000) + assemble("POP", address, 0, 0, "LOG1") for address in contracts)
        state.set_account(root, GenesisAccount(code=calls))
        outcomes = [state.apply_transaction(signed(nonce=nonce, to=root, gas=10**7)) for nonce in range(2)]
        outcomes.append(state.apply_transaction(signed(nonce=2, data=deploy_code(calls), gas=10**6)))
        print(state.persist().hex(), outcomes)
"""


@pytest.mark.long
def test_roots_and_receipts_do_not_depend_on_the_hash_seed():
    printed = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "4242")
    }
    assert len(printed) == 1 and printed.pop().count("TransactionOutcome") == 6
