"""A registrar's service over a simulated hub: real rules, real blocks, real routes; what a network loses is the test's to say."""

import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from hutong.adapters.interface import EndpointUnavailable, RefusedByChain
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.registrar.desk import PersonsDesk
from hutong.relay.services.identity.registrar.following import follow_blocks
from hutong.relay.services.identity.registrar.routes import OpenDoor, registrar_router
from hutong.relay.services.identity.registrar.shards import open_shards
from hutong.relay.services.identity.registrar.writing import PersonsWriting
from hutong.relay.services.identity.rules.persons.person import Place
from hutong.relay.services.identity.rules.persons.registering import encode_registrations
from hutong.relay.services.identity.rules.persons.signed import proof_request_digest
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.transactions import Database
from hutong.relay.web.api_keys import ApiKey, KeyRing, Scope, digest_of, new_key, write_keys
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.hub.application.identity.registrars import GAS, Registrar, registrar_on
from tests.relay.hub.simulated_hub import SimulatedHub
from tests.relay.services.identity.registrar.test_following import ToldNode
from tests.relay.services.identity.rules.persons.people import HUB, person, registration, signed

FILE = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://id.example"
keys_file = "api-keys.json"

[registrar]
folder = "shards"
collect_s = 0
{more}
[registrar.hub]
did = "did:hutong:hutong:{did}"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
account = {{ keystore = "log.json", password_file = "password" }}
"""


def write_file(folder: Path, did: bytes, more: str = "") -> Path:
    for name in ("log.json", "password"):
        (folder / name).write_text("{}")
        (folder / name).chmod(0o600)
    file = folder / "identity.toml"
    file.write_text(FILE.format(did=did.hex(), more=more))
    return file


@dataclass
class SimulatedRegistrarDoor:
    """See `RegistrarDoor`. `lost`: of the next transactions, whether the answer alone is lost (True) or the call too (False)."""

    registrar: Registrar
    node: ToldNode
    lost: list[bool] = field(default_factory=list)
    calls: list[bytes] = field(default_factory=list)
    on_the_way: list[bytes] = field(default_factory=list)
    """Calls that were lost: a pool may still have them."""

    async def follow(self, shards) -> None:
        await follow_blocks(self.node, shards)

    async def record(self, key: bytes) -> bytes | None:
        return self.registrar.hub.view().get(key)

    async def send(self, call: bytes) -> None:
        fate = self.lost.pop(0) if self.lost else None
        if fate is False:
            self.on_the_way.append(call)
            raise EndpointUnavailable("hub", "send", (("node", "lost on the way"),))
        self.calls.append(call)
        outcome = self.registrar.hub.send(IDENTITY_ADDRESS, call, self.registrar.organisation.logging, gas=GAS)
        if not outcome.ok:
            raise RefusedByChain("reverted", outcome.log, outcome.data)
        if fate is True:
            raise EndpointUnavailable("hub", "send", (("node", "the answer was lost"),))


@dataclass
class RegistrarWorld:
    """The service and who calls it. Time is the hub's."""

    registrar: Registrar
    desk: PersonsDesk
    door: SimulatedRegistrarDoor
    writing: PersonsWriting
    http: httpx.AsyncClient
    key: str
    """Of the office; `other` is of another scope."""
    other: str
    engine: Engine

    @property
    def shard(self) -> tuple[bytes, int]:
        return self.registrar.shard

    async def post(self, path: str, body: Any, *, office: bool = False, code: int | None = None) -> Any:
        headers = {"authorization": f"Bearer {self.key}"} if office else {}
        answer = await self.http.post(f"/v1/registrar{path}", json=body, headers=headers)
        assert code is None or answer.status_code == code, (path, answer.status_code, answer.text)
        return answer.json()

    async def invitation(self) -> str:
        (code,) = (await self.post("/invitations", {}, office=True, code=201))["invitations"]
        return code

    def signed(self, name: str, shard: int = 0, **who: Any) -> str:
        """A registration, as `enrol` makes it."""
        one = person(name, **who)
        return encode_registrations([registration(one, name, (self.registrar.did, shard))]).hex()

    async def ask_to_register(self, name: str, code: int = 202, **who: Any) -> Any:
        body = {"invitation": await self.invitation(), "shard": 0, "registration": self.signed(name, **who)}
        return await self.post("/registrations", body, code=code)

    async def standing(self, receipt: str) -> Any:
        return await self.post("/receipts", {"receipt": receipt}, code=200)

    async def registered(self, name: str, **who: Any) -> int:
        """The index at which a person stands after a pass."""
        await self.writing.pass_once()
        taken = await self.ask_to_register(name, **who)
        await self.writing.pass_once()
        found = await self.standing(taken["receipt"])
        assert found["state"] == "done", found
        return found["index"]

    def asking(self, name: str, index: int, ahead_s: int = 60) -> dict[str, Any]:
        """A request for a proof, signed by the key of a name."""
        expires = self.registrar.hub.time_s + ahead_s
        digest = proof_request_digest(HUB, Place(self.registrar.did, 0, index), expires)
        return {"shard": 0, "index": index, "expires": expires, "signature": signed(name, digest).hex()}


@asynccontextmanager
async def registering(
    folder: Path,
    registrar: Registrar | None = None,
    more: str = "",
    transport_of: Callable[[Any], httpx.AsyncBaseTransport] = lambda app: httpx.ASGITransport(app=app),
):
    """The service of a registrar; another one on the same folder and hub is the same after a restart."""
    registrar = registrar_on(SimulatedHub()) if registrar is None else registrar
    config = load_identity_config(write_file(folder, registrar.did, more))
    key, reading = new_key(), new_key()
    scopes = {"office": (key, {Scope.REGISTER}), "other": (reading, {Scope.ISSUE})}
    made = [
        ApiKey(name, frozenset(scope), digest_of(secret), "2026-01-01T00:00:00Z")
        for name, (secret, scope) in scopes.items()
    ]
    write_keys(folder / "api-keys.json", made)
    common = Common(
        config.server,
        KeyRing(folder / "api-keys.json"),
        lambda: registrar.hub.time_s,
        os.urandom,
        CollectorRegistry(),
    )
    with open_database(config.server) as engine, open_shards(config.registrar.folder, registrar.did) as shards:
        desk = PersonsDesk(HUB, config.registrar, common, Database(engine), shards)
        door = SimulatedRegistrarDoor(registrar, ToldNode(registrar.hub))
        role = Role("registrar", registrar_router(desk, OpenDoor(door)), not_ready=lambda: desk.refusal)
        app = create_app(common, [role], RateLimit(100_000, lambda: 0.0))
        writing = PersonsWriting(desk, door, registrar.writer())
        async with httpx.AsyncClient(transport=transport_of(app), base_url="https://id.example") as http:
            yield RegistrarWorld(registrar, desk, door, writing, http, key, reading, engine)
