"""Two connectors on loopback that know one another, each with its operator's door."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.local.ports import free_ports
from hutong.relay.services.directory.dspace.daemon import serve
from hutong.relay.services.directory.dspace.settings import ConnectorConfig, load_connector_config
from hutong.relay.web.api_keys import Scope, add_key

OWNER, LAB = "did:web:owner.example", "did:web:lab.example"
TRAFFIC, OFFER = "urn:ds:traffic", "urn:offer:traffic"
PERMISSION = {
    "action": "use",
    "constraint": [{"leftOperand": "purpose", "operator": "eq", "rightOperand": "urn:research"}],
}
DATASET = {
    "@id": TRAFFIC,
    "@type": "Dataset",
    "title": "交通流量",
    "hasPolicy": [{"@id": OFFER, "@type": "Offer", "permission": [PERMISSION]}],
    "distribution": [{"@type": "Distribution", "format": "HTTP-PULL"}],
}
LIMIT_S = 300


def dataset(number: int) -> dict[str, Any]:
    """One more data set, with an offer of its own."""
    offer = {"@id": f"urn:offer:{number}", "@type": "Offer", "permission": [{"action": "use"}]}
    return {**DATASET, "@id": f"urn:ds:{number:05}", "hasPolicy": [offer]}


def token_of(shower: str) -> str:
    return f"the-token-that-{shower}-shows"


@dataclass
class Side:
    """A connector's configuration, and clients of its two doors: as its operator, and as its counterparty."""

    config: ConnectorConfig
    base: str
    key: str
    counterparty: str

    def operator(self) -> httpx.AsyncClient:
        return self._client(f"{self.base}/v1", self.key)

    def stranger(self, token: str | None = None) -> httpx.AsyncClient:
        return self._client(f"{self.base}/dsp", token_of(self.counterparty) if token is None else token)

    def _client(self, base: str, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=base, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        )


def written(home: Path, name: str, other: str, ports: tuple[int, int], **members: object) -> Side:
    """A configuration on the disk, read as the command reads it."""
    home.mkdir()
    base, theirs = (f"http://127.0.0.1:{port}" for port in ports)
    (home / "shown.token").write_text(token_of(name) + "\n")
    (home / "shown.token").chmod(0o600)
    (home / "datasets.json").write_text(json.dumps([DATASET]))
    key = add_key(home / "keys.json", "desk", [Scope.ADMIN])
    lines = {"decisions": "manual", "rate_limit_per_s": 10_000, "page_size": 2, **members}
    (home / "connector.toml").write_text(
        f"""[connector]
home = "state"
listen = "127.0.0.1:{ports[0]}"
public_url = "{base}"
participant_id = "{name}"
datasets_file = "datasets.json"
keys_file = "keys.json"
{"".join(f"{member} = {json.dumps(value)}" + chr(10) for member, value in lines.items())}
[[participants]]
id = "{other}"
url = "{theirs}/dsp"
token_digest = "sha256:{sha256(token_of(other).encode()).hexdigest()}"
token_file = "shown.token"
"""
    )
    return Side(load_connector_config(home / "connector.toml"), base, key, other)


def pair(home: Path, **members: object) -> tuple[Side, Side]:
    """The owner, who offers the traffic, and the lab."""
    ports = free_ports(2)
    owner = written(home / "owner", OWNER, LAB, (ports[0], ports[1]), **members)
    lab = written(home / "lab", LAB, OWNER, (ports[1], ports[0]), **members)
    return owner, lab


@asynccontextmanager
async def served(*sides: Side) -> AsyncIterator[None]:
    """The connectors run while the block lasts; what is left of them afterwards is on the disk alone."""
    async with trio.open_nursery() as nursery:
        for side in sides:
            ready = trio.Event()
            nursery.start_soon(serve, side.config, lambda _address, ready=ready: ready.set())
            await ready.wait()
        with trio.fail_after(LIMIT_S):
            yield
        nursery.cancel_scope.cancel()


async def shown_offer(owner: Side) -> dict[str, Any]:
    """The traffic's offer as the owner's catalogue has it, with its target."""
    async with owner.stranger() as client:
        found = (await client.get(f"/catalog/datasets/{TRAFFIC}")).json()
    return {**found["hasPolicy"][0], "target": TRAFFIC}


async def asked(side: Side, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A step at an operator's door that is taken."""
    async with side.operator() as client:
        answer = await client.post(path, json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()


async def reaches(side: Side, place: str, state: str, **members: object) -> dict[str, Any]:
    """The first process of a list, once it is in a state and has these members."""
    async with side.operator() as client:
        while True:
            found = (await client.get(f"/{place}")).json()[place]
            wanted = {"state": state, **members}
            if found and all(found[0][name] == value for name, value in wanted.items()):
                return (await client.get(f"/{place}/{found[0]['pid']}")).json()
            await trio.sleep(0.02)
