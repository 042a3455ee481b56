"""An issuer's records on a simulated hub: real rules, real blocks; what a network does to a transaction is the test's to say."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hutong.adapters.interface import EndpointUnavailable, RefusedByChain
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, PublicKey
from tests.relay.hub.application.identity.organisations import (
    GAS,
    SCHEMA,
    Organisation,
    key_struct,
    public_key,
    root_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub
from tests.relay.services.identity.issuer.issuer_world import ISSUER_KEY

HUB_TABLE = """
[issuer.hub]
did = "did:hutong:hutong:{did}"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
account = {{ keystore = "log.json", password_file = "password" }}
seal_account = {{ keystore = "log.json", password_file = "password" }}
list_schema = "sha256:{schema}"
"""
KIND = f'schema_hash = "sha256:{SCHEMA.hex()}"'


def credential_key() -> PublicKey:
    coordinates = ISSUER_KEY.public.coordinates
    return PublicKey(KeyAlgorithm.ES256, coordinates[:32], coordinates[32:])


class City(Organisation):
    """Its credentials are signed by P-256, its seals by an account."""

    def first_keys(self) -> list:
        return [
            key_struct(credential_key(), KeyPurpose.SIGNING),
            key_struct(public_key(self.issuing), KeyPurpose.CONTRACT),
            key_struct(public_key(self.logging), KeyPurpose.LOG),
        ]


@dataclass
class SimulatedDoor:
    """See `HubDoor`. `lost`: of the next transactions, whether the answer alone is lost (True) or the call too (False)."""

    city: City
    lost: list[bool] = field(default_factory=list)
    sent: int = 0
    sync: Any = None

    @property
    def accounts(self) -> tuple[Signer, Signer]:
        return Signer.in_memory(bytes(self.city.logging.key)), Signer.in_memory(bytes(self.city.issuing.key))

    async def record(self, key: bytes) -> bytes | None:
        return self.city.raw(key)

    async def send(self, call: bytes) -> None:
        fate = self.lost.pop(0) if self.lost else None
        if fate is False:
            raise EndpointUnavailable("hub", "send", (("node", "lost on the way"),))
        self.sent += 1
        outcome = self.city.send(call, self.city.logging, gas=GAS)
        if not outcome.ok:
            raise RefusedByChain("Reverted", outcome.log, outcome.data)
        if fate is True:
            raise EndpointUnavailable("hub", "send", (("node", "the answer was lost"),))


def city_on_hub() -> City:
    hub = SimulatedHub()
    root = root_of(hub)
    city = City(hub, "city")
    assert root.grant(city.did).ok
    outcome = city.register(schema=SCHEMA)
    assert outcome.ok, (outcome.log, outcome.data)
    return city


def hub_table(city: City, folder: Path) -> str:
    for name in ("log.json", "password"):
        (folder / name).write_text("{}")
        (folder / name).chmod(0o600)
    return HUB_TABLE.format(did=city.did.hex(), schema=SCHEMA.hex())


CREDENTIAL_THUMBPRINT = thumbprint(credential_key())
