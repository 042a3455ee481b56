"""A running hub on which a ministry, an office and a clinic keep their records, and the API over it."""

import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue

import trio

from hutong.adapters.hub import admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.administration.identity.reading import identity_record
from hutong.relay.hub.application.identity import interface
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from tests.adapters.conformance.lane import ADMIN, CHAIN_ID, HUB_EVM_CHAIN_ID, new_hub, running_hub
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub
from tests.relay.hub.application.identity.organisations import SCHEMA, Organisation, named, public_key
from tests.relay.hub.simulated_hub import address_of

NAMES = ("ministry", "office", "clinic")
FAR_S = 2**40


@dataclass
class Written:
    """What an `Organisation` asks of its hub, of one that runs: called in a thread of trio's."""

    chain: object
    salt: int = 0

    def send(self, to, call, account, gas=None):
        transactor = Transactor(self.chain.execution, HUB_EVM_CHAIN_ID, Signer.in_memory(bytes(account.key)))
        trio.from_thread.run(transactor.send, to, call)  # raises where the hub refuses
        return Done()

    def view(self):
        return self

    def get(self, key):
        return trio.from_thread.run(identity_record, self.chain.execution, key)

    def accredit_root(self, did):
        self.salt += 1
        action = admin.accredit_root(self.salt, did, SCHEMA, 4, (0, FAR_S))
        administrator = Transactor(self.chain.execution, HUB_EVM_CHAIN_ID, ADMIN)
        trio.from_thread.run(admin.approve_and_execute, [administrator], CHAIN_ID, action)


@dataclass(frozen=True)
class Done:
    ok: bool = True


def write(chain) -> dict[str, Organisation]:
    """A chain of three; the clinic has issued, revoked, sealed a list and retired a key; the office is revoked at the end."""
    hub = Written(chain)
    ministry, office, clinic = (Organisation(hub, name) for name in NAMES)
    hub.accredit_root(ministry.did)
    ministry.register(schema=SCHEMA)
    ministry.grant(office.did, depth=1)
    office.register(schema=SCHEMA)
    office.grant(clinic.did)
    clinic.register(schema=SCHEMA)
    clinic.open_list()
    clinic.revoke(0, 7, bytes([5]) * 32)
    clinic.append(b"first", b"second")
    clinic.decide(interface.RETIRE_KEY, thumbprint(public_key(clinic.issuing)))
    return {"ministry": ministry, "office": office, "clinic": clinic}


def funded_hub():
    accounts = [named(f"{name} {role}") for name in NAMES for role in ("controller", "logging")]
    hub = new_hub()
    return replace(hub, allocations=(*hub.allocations, *((address_of(one), 10**24) for one in accounts)))


@asynccontextmanager
async def identity_hub(home):
    """The hub's adapter and the organisations on it."""
    async with running_hub(home / "hub", funded_hub()) as chain:
        organisations = await trio.to_thread.run_sync(write, chain)
        await chain.wait_for_height((await chain.head()).height + 2)
        yield chain, organisations


@contextmanager
def identity_api(home):
    """(URL, checkpoint of the hub, organisations) of the API in a thread of its own, for browsers."""
    started: SimpleQueue = SimpleQueue()

    async def run() -> None:
        try:
            async with identity_hub(home) as (chain, organisations):
                checkpoint = await checkpoint_of_hub(chain)
                async with api_under_trio(config_of(home), simulated_adapters() | {"hub": chain}) as (url, _):
                    with trio.CancelScope() as scope:
                        started.put((url, checkpoint, organisations, scope, trio.lowlevel.current_trio_token()))
                        await trio.sleep_forever()
        except BaseException as error:
            started.put(error)
            raise

    thread = threading.Thread(target=trio.run, args=(run,), daemon=True)
    thread.start()
    first = started.get(timeout=240)
    if isinstance(first, BaseException):
        raise first
    url, checkpoint, organisations, scope, token = first
    try:
        yield url, checkpoint, organisations
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join(60)
