"""The registrar for persons as a role of the daemon."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio
from prometheus_client import Gauge

from hutong.light_clients.interface import MalformedInput
from hutong.relay.keys import KeyUnavailable, Signer, load_signer
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.hub_access import HubAccess
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.issuer.keys import account_thumbprint
from hutong.relay.services.identity.registrar.desk import PersonsDesk
from hutong.relay.services.identity.registrar.door import RegistrarDoor, open_registrar_door
from hutong.relay.services.identity.registrar.routes import OpenDoor, registrar_router
from hutong.relay.services.identity.registrar.settings import RegistrarConfig
from hutong.relay.services.identity.registrar.shards import NotOfTheseShards, ShardsInUse, open_shards
from hutong.relay.services.identity.registrar.writing import PersonsWriting, keep_writing
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.erasing import SWEEP_S
from hutong.relay.services.identity.store.transactions import Database, StoreUnavailable

OpenHub = Callable[[HubAccess, Signer], AbstractAsyncContextManager[RegistrarDoor]]


@asynccontextmanager
async def registrar_role(
    config: RegistrarConfig, common: Common, open_hub: OpenHub = open_registrar_door
) -> AsyncIterator[Role]:
    """The registrar of a configuration.

    Raises:
        RoleUnusable: a key, folder or database cannot be used.
    """
    try:
        signer = await trio.to_thread.run_sync(load_signer, config.hub.account)
    except KeyUnavailable as error:
        raise RoleUnusable(str(error)) from None
    with open_database(common.server) as engine:
        try:
            with open_shards(config.folder, config.hub.did_bytes) as shards:
                desk = PersonsDesk(hub_name(config.hub.chain_id), config, common, Database(engine), shards)
                try:
                    yield role_of(desk, signer, open_hub)
                finally:
                    with trio.CancelScope(shield=True):
                        await signer.aclose()
        except StoreUnavailable as error:
            raise RoleUnusable(str(error)) from None
        except (ShardsInUse, NotOfTheseShards, MalformedInput) as error:
            raise RoleUnusable(f"registrar.folder: {error}") from None


def role_of(desk: PersonsDesk, signer: Signer, open_hub: OpenHub) -> Role:
    """The role of a desk: its routes, its gauges, and what tells the hub."""
    hub = OpenDoor()

    async def write() -> None:
        async with open_hub(desk.config.hub, signer) as door:
            hub.door = door
            try:
                await keep_writing(PersonsWriting(desk, door, (desk.registrar, account_thumbprint(signer))))
            finally:
                hub.door = None

    async def work() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_keep_erasing, desk)
            await write()

    registry = desk.common.registry
    persons = Gauge(
        "hutong_registrar_persons", "Persons that stand on the hub, as far as it was followed.", registry=registry
    )
    persons.set_function(lambda: sum(file.count for file in desk.shards.files))
    waiting = Gauge("hutong_registrar_waiting", "What was asked and does not stand on the hub yet.", registry=registry)
    waiting.set_function(lambda: desk.waiting)
    return Role("registrar", registrar_router(desk, hub), work, lambda: desk.refusal)


async def _keep_erasing(desk: PersonsDesk) -> None:
    """What was settled leaves the files of the database, too."""
    while True:
        await desk.database.empty_log()
        await trio.sleep(SWEEP_S)
