"""A running dev chain whose clock the test sets: what waits for a delay waits for nobody."""

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

import trio
from eth_utils.address import to_canonical_address

from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.relay.devnet import Genesis, Pace
from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.node import serve_devnet
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.keys import create_keystore
from tests.relay.cli.chains.test_roles_command import ADDRESSES, CHAIN_ID, KEYS, PASSWORD, Setting


class Clock:
    """The chain's: it stands still until the test puts it forward, so that two commands see one time."""

    def __init__(self, now_s=None):
        self.now_s = time.time() if now_s is None else now_s

    def __call__(self):
        return self.now_s


class Timed(Setting):
    """On a chain with such a clock. Blocks that pass the time are the relayer's: all others send what a test says."""

    def __init__(self, url, execution, folder, clock):
        super().__init__(url, execution, folder)
        self.clock = clock

    async def pass_time(self, seconds):
        before = (await self.execution.latest_block()).time_s
        self.clock.now_s += seconds
        while (await self.execution.latest_block()).time_s < before + seconds:
            await self.transactor("relayer").send(bytes.fromhex(ADDRESSES["stranger"][2:]), b"")


@asynccontextmanager
async def running(folder, kind=Timed):
    async with _chain(MemoryStore(), Clock(), folder, kind) as setting:
        yield setting


@asynccontextmanager
async def standing(folder, kind=Timed, passed_s=0, **changed):
    """(setting, contracts by name) of a chain whose contracts stand, and `passed_s` later; `changed` as `deployed` takes it.

    The command deploys them once in a process. Each test goes on from a copy of that chain and of the file that it wrote.
    """
    key = (passed_s, *sorted(changed.items()))
    if key not in _MADE:
        store, clock, first = MemoryStore(), Clock(), folder / "first"
        first.mkdir()
        async with _chain(store, clock, first, Timed) as setting:
            contracts = await setting.deployed(**changed)
            if passed_s:
                await setting.pass_time(passed_s)
        _MADE[key] = Made(store, clock.now_s, contracts, setting.out.read_text())
    made = _MADE[key]
    async with _chain(made.copy(), Clock(made.now_s), folder, kind) as setting:
        setting.out.write_text(made.roles)
        yield setting, dict(made.contracts)


@dataclass(frozen=True, slots=True)
class Made:
    """What a deployment left: the chain's store and time, the contracts as the command printed them, the file of roles."""

    store: MemoryStore
    now_s: float
    contracts: dict
    roles: str

    def copy(self):
        store = MemoryStore()
        with store.batch() as batch:
            for key, value in self.store.items():
                batch.put(key, value)
        return store


_MADE: dict[tuple, Made] = {}


@asynccontextmanager
async def _chain(store, clock, folder, kind):
    for name, key in KEYS.items():
        create_keystore(folder / f"{name}.json", key, PASSWORD, iterations=2)
    funds = {bytes(to_canonical_address(address)): 10**24 for address in ADDRESSES.values()}
    chain = DevnetChain(store, Genesis(CHAIN_ID, funds_wei=funds), Pace(50, 20), wall_clock_s=clock)
    async with trio.open_nursery() as nursery:
        devnet = await nursery.start(serve_devnet, chain)
        identify = partial(identify_execution, chain_id=CHAIN_ID)
        async with open_rpc_client("chain", (devnet.url,), Random(1), RpcOptions(), identify) as client:
            yield kind(devnet.url, ExecutionRpc(client, evm_reverts()), folder, clock)
        nursery.cancel_scope.cancel()
