"""The process that executes calls of others for a hub node: `python -P -m hutong.relay.hub.process.call_process HOME MAP_BYTES MEMORY_BYTES`.

It reads the node's database, which the node goes on writing, and speaks frames over its standard input and output. It ends
with its input, and by a signal where it computes long after the node has stopped waiting.
"""

import os
import resource
import signal
import sys
from functools import partial
from pathlib import Path
from typing import BinaryIO

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.errors import StatePruned
from hutong.relay.evm.rpc.call_codec import (
    FRAME_LENGTH_BYTES,
    MAX_FRAME_BYTES,
    Aborted,
    CallAnswer,
    CallRequest,
    Pruned,
    decode_request,
    encode_answer,
)
from hutong.relay.evm.rpc.call_executor import CALL_DEADLINE_S
from hutong.relay.evm.rpc.call_processes import READY
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, load_genesis
from hutong.relay.hub.rpc.chain import HubChain

CALL_MEMORY_BYTES = 512 * 1024 * 1024
"""What a call may take beside what the program and its stack have: 16.7 million gas of memory alone are 3 MB."""
NICENESS = 10
"""Blocks and votes of the validator on this machine go first."""
ORPHAN_S = 2 * CALL_DEADLINE_S + 5
"""After which a process ends that still computes, whoever waits for it."""


def call_command(home: Path, map_bytes: int, memory_bytes: int = CALL_MEMORY_BYTES) -> tuple[str, ...]:
    """The command line that starts one such process for the node of this home.

    `-P`: nothing is imported from the folder that the node was started in. `memory_bytes` is what calls may take in
    addition to what the program itself takes; `map_bytes` must be the node's own.
    """
    module = ("-P", "-m", "hutong.relay.hub.process.call_process")
    return sys.executable, *module, str(home.absolute()), str(map_bytes), str(memory_bytes)


def main() -> None:
    """Serve requests of `sys.argv` (HOME, MAP_BYTES, MEMORY_BYTES) until standard input ends or a call is aborted.

    Raises:
        UnusableHome: the genesis of the home cannot be used.
        lmdb.Error: the database cannot be opened.
    """
    home, map_bytes, memory_bytes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    # Nothing but frames may reach the node through standard output.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # A signal for the node's process group, such as Ctrl-C at a terminal, is the node's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=map_bytes, read_only=True)
    application = HubApplication(store, load_genesis(home))
    chain = HubChain(application, Mempool(), header_version=BlockRecords(store).rules_version)
    run_with_evm_stack(lambda: None)  # its stack, which is kept, counts before the bound
    _bound_memory(memory_bytes)
    _send(answers, READY)
    _serve(chain, sys.stdin.buffer, answers)


def _serve(chain: HubChain, requests: BinaryIO, answers: BinaryIO) -> None:
    while (header := requests.read(FRAME_LENGTH_BYTES)) and len(header) == FRAME_LENGTH_BYTES:
        length = int.from_bytes(header, "big")
        if length > MAX_FRAME_BYTES or len(body := requests.read(length)) != length:
            return
        signal.setitimer(signal.ITIMER_REAL, ORPHAN_S)  # its default action ends the process
        answer = run_with_evm_stack(partial(_execute, chain, decode_request(body)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, encode_answer(answer))
        if isinstance(answer, Aborted):
            return


def _execute(chain: HubChain, request: CallRequest) -> CallAnswer:
    block = chain.blocks.block(request.block_number)
    if block is None or block.hash != request.block_hash:
        return Aborted(f"this node no longer has block {request.block_number}")
    try:
        state = chain.state_after(block)
        return state.estimate_gas(request.message) if request.estimate else state.call(request.message)
    except StatePruned as error:
        return Pruned(error.number, error.oldest)
    except MemoryError:
        return Aborted("execution aborted (memory limit)")


def _bound_memory(memory_bytes: int) -> None:
    """Of private memory, which is what allocations are; the database's map is shared and does not count."""
    used = _private_bytes()
    if used is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, used + memory_bytes))


def _private_bytes() -> int | None:
    """None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), None)


def _send(answers: BinaryIO, body: bytes) -> None:
    view = memoryview(len(body).to_bytes(FRAME_LENGTH_BYTES, "big") + body)
    while view:
        view = view[answers.write(view) :]


if __name__ == "__main__":
    main()
