"""The whole platform in one process: an issuer and a registrar on a hub with its real rules, a verifier with login, a mirror, a
wallet, and a relay with its Redis between two chains.

Every request between them goes through their HTTP applications and is written down; databases, the wallet and logs are files.
"""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import structlog
import trio
from prometheus_client import CollectorRegistry

from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.issuer.role import hub_sync_of, list_tokens_of, make_issuer
from hutong.relay.services.identity.issuer.role import role_of as issuer_role_of
from hutong.relay.services.identity.login.role import begin_login, login_router
from hutong.relay.services.identity.rules.jose import TrustAnchors
from hutong.relay.services.identity.rules.openid4vp import VpToken
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.status_host.mirror import Mirror
from hutong.relay.services.identity.status_host.role import mirror_router
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.transactions import Database
from hutong.relay.services.identity.verifier import desk as desks
from hutong.relay.services.identity.verifier.role import begin_desk, role_of
from hutong.relay.services.identity.verifier.status_lists import fetching
from hutong.relay.services.identity.wallet import TrustFile, Wallet
from hutong.relay.services.identity.wallet.transport import Transport
from hutong.relay.telemetry import configure_logs
from hutong.relay.web.api_keys import KeyRing, Scope, add_key
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.hub.application.identity.registrars import registrar_on
from tests.relay.services.identity.certificates import AUTHORITY, key_of, pem, private_pem
from tests.relay.services.identity.issuer.issuer_world import BASE, write_config
from tests.relay.services.identity.issuer.simulated_door import KIND, City, SimulatedDoor, city_on_hub, hub_table
from tests.relay.services.identity.login.test_login import LOGIN, SECRET
from tests.relay.services.identity.privacy.relaying import Relaying, relaying
from tests.relay.services.identity.privacy.wire import Wire
from tests.relay.services.identity.registrar.registrar_world import RegistrarWorld, registering
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.verifier.scene import CONFIG as VERIFIER
from tests.relay.services.identity.verifier.scene import PUBLIC_URL, write_files

ISSUER = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://id.example/city"
keys_file = "api-keys.json"

[issuer]
name = "City"
key = "issuer.pem"
certificates = "chain.pem"
list_size = 16384
{issuer}

[[issuer.credentials]]
id = "residence"
vct = "https://id.example/types/residence"
name = "Certificate of residence"
{kind}
claims = [
  {{ name = "given_name" }}, {{ name = "family_name", hidden = false }}, {{ name = "document" }}, {{ name = "birth_date" }},
  {{ name = "age_over_18" }},
]
"""
VCT = "https://id.example/types/residence"
PASSWORD = b"privacy"


class RecordedDoor(SimulatedDoor):
    """What goes between the issuer and the hub is written down."""

    wire: Wire

    async def record(self, key: bytes) -> bytes | None:
        found = await super().record(key)
        self.wire.hub += [key, found or b""]
        return found

    async def send(self, call: bytes) -> None:
        self.wire.hub.append(call)
        await super().send(call)


@dataclass
class Issuing:
    """The issuer's side."""

    issuer: Any
    tokens: Any
    desk: httpx.AsyncClient
    door: RecordedDoor
    home: Path
    engine: Any
    common: Common
    app: Any


@dataclass
class Verifying:
    """A verifier's side; the first one has login on it."""

    desk: Any
    login: Any
    shop: httpx.AsyncClient
    app: Any
    home: Path
    engine: Any
    common: Common


@dataclass
class Platform:
    """All of them."""

    folder: Path
    wire: Wire
    clock: list[int]
    logs: StringIO
    city: City
    issuing: Issuing
    verifying: Verifying
    read: list[str]
    registrar: RegistrarWorld
    relaying: Relaying
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def wallet(self) -> Wallet:
        """For the wallet's own thread."""
        return Wallet.open(self.folder / "wallet", PASSWORD, self._transport(), lambda: self.clock[0])

    def _transport(self) -> Transport:
        async def ask(request: httpx.Request) -> httpx.Response:
            client = self.clients[request.url.host]
            sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await client.send(sent)
            body = httpx.ByteStream(await answer.aread())
            return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

        return Transport(
            httpx.Client(transport=httpx.MockTransport(lambda request: trio.from_thread.run(ask, request)))
        )


@contextmanager
def recorded_logs() -> Iterator[StringIO]:
    """Everything that is logged, at the lowest level, by us and by every library."""
    stream = StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    level = root.level
    configure_logs("debug", stream)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        structlog.reset_defaults()


def _common(config: Any, clock: list[int]) -> Common:
    keys = KeyRing(config.server.keys_file)
    return Common(config.server, keys, lambda: clock[0], os.urandom, CollectorRegistry())


def _unlimited() -> RateLimit:
    return RateLimit(1_000_000, lambda: 0.0)


@asynccontextmanager
async def issuing(folder: Path, wire: Wire, clock: list[int], city: City, copies: int) -> AsyncIterator[Issuing]:
    """The issuer beside its hub, and its application, in a folder that is there."""
    kind = f"{KIND}\ncopies = {copies}"
    config = write_config(folder, hub_table(city, folder), kind, ISSUER)
    key = add_key(config.server.keys_file, "desk", [Scope.ISSUE, Scope.ADMIN])
    common = _common(config, clock)
    door = RecordedDoor(city)
    door.wire = wire
    with open_database(config.server) as engine:
        issuer = await make_issuer(config.issuer, common, Database(engine), door.accounts)
        tokens = list_tokens_of(issuer)
        door.sync = hub_sync_of(issuer, tokens, config.issuer.hub, door, door.accounts)
        await door.sync.pass_once()
        app = create_app(common, [issuer_role_of(issuer, tokens, lambda: None)], _unlimited())
        desk = wire.of("desk", app, BASE.removesuffix("/city"), authorization=f"Bearer {key}")
        yield Issuing(issuer, tokens, desk, door, folder / "state", engine, common, app)


@asynccontextmanager
async def verifying(
    folder: Path, wire: Wire, clock: list[int], issuer_app: Any, name: str = "verifier"
) -> AsyncIterator[Verifying]:
    """A verifier with login, which fetches lists from the issuer's application, in a folder that is there."""
    query = {"id": "licence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}}
    write_files(folder, VERIFIER + LOGIN)
    (folder / "licence.json").write_text(json.dumps({"credentials": [{**query, "claims": [{"path": ["given_name"]}]}]}))
    for file, data in (
        ("login.pem", private_pem(key_of(0x106))),
        ("login-pairwise", b"\x07" * 32),
        ("library-secret", SECRET.encode()),
    ):
        (folder / file).write_bytes(data)
        (folder / file).chmod(0o600)
    config = load_identity_config(folder / "identity.toml")
    key = add_key(config.server.keys_file, "shop", [Scope.VERIFY, Scope.ADMIN])
    common = _common(config, clock)
    with open_database(config.server) as engine:
        async with wire.of(name, issuer_app, "https://id.example") as lists:
            desk = begin_desk(config.verifier, common, engine, fetching(lists))
            login = begin_login(config.login, common, engine, desk)
            app = create_app(common, [role_of(desk, common, (login_router(login),))], _unlimited())
            shop = wire.of("shop", app, PUBLIC_URL, authorization=f"Bearer {key}")
            yield Verifying(desk, login, shop, app, folder / "state", engine, common)


@contextmanager
def _remembered() -> Iterator[list[str]]:
    """Presentations as verifiers read them from now on, after their encryption."""
    read: list[str] = []
    judge = desks.judge_form

    def remembering(*arguments: Any) -> Any:
        found = judge(*arguments)
        if isinstance(found, VpToken):
            read.extend(text for texts in found.presentations.values() for text in texts)
        return found

    with patch.object(desks, "judge_form", remembering):
        yield read


def wallet_made(folder: Path) -> None:
    """The wallet, and folders of everybody else."""
    (folder / "trust.pem").write_bytes(pem(AUTHORITY))
    trusted = {TrustFile.ISSUERS: folder / "trust.pem", TrustFile.VERIFIERS: folder / "trust.pem"}
    for name in ("issuer", "verifier", "other", "registrar"):
        (folder / name).mkdir()
    Wallet.create(folder / "wallet", PASSWORD, trusted, iterations=2)


@asynccontextmanager
async def platform(folder: Path, copies: int) -> AsyncIterator[Platform]:
    """Everything, begun and empty. `copies`: credentials of one offer."""
    wallet_made(folder)
    wire, clock, city = Wire(), [NOW_S], city_on_hub()
    registrar = registrar_on(city.hub)
    with recorded_logs() as logs, _remembered() as read:
        async with (
            issuing(folder / "issuer", wire, clock, city, copies) as issuer,
            verifying(folder / "verifier", wire, clock, issuer.app) as verifier,
            registering(
                folder / "registrar", registrar, transport_of=lambda app: wire.transport("person", app)
            ) as persons,
            relaying(folder) as relay,
        ):
            made = Platform(folder, wire, clock, logs, city, issuer, verifier, read, persons, relay)
            made.clients = {
                "id.example": wire.of("wallet", issuer.app, "https://id.example"),
                "verifier.example": wire.of("wallet", verifier.app, PUBLIC_URL),
            }
            yield made


def mirror_of(common: Common, clock: Callable[[], int], uris: tuple[str, ...], wire: Wire) -> tuple[Mirror, Any]:
    """A host of the issuer's lists that is not the issuer, and a client that anybody may be."""
    mirror = Mirror(uris, TrustAnchors((AUTHORITY,)), clock)
    alone = Common(common.server, common.keys, clock, os.urandom, CollectorRegistry())
    app = create_app(alone, [Role("status", mirror_router({"city": mirror}, alone))], _unlimited())
    return mirror, wire.of("anybody", app, "https://mirror.example")
