"""The university's issuer and the employer's verifier: two processes of `hutong identity serve`, each with a file of its own."""

import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.demo.identity.certificates import Authority
from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.ground import Running
from hutong.relay.demo.identity.organisations import Organisation
from hutong.relay.local.config_file import write_private
from hutong.relay.local.hub import CHAIN_ID
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import POLL_INTERVAL_S, START_LIMIT_S, DemoFailed, last_line, run_daemon

VCT = "https://university.example/types/diploma"
TYPE, POLICY = "diploma", "diploma"
SHOWN = ("degree", "year")
"""What verifier and contract ask for; name and birth date stay hidden."""
REQUEST_TIMEOUT_S = 30
SERVER = """[server]
home = "state"
listen = "127.0.0.1:{port}"
public_url = "{url}"
keys_file = "api-keys.json"
tls_certificate = "tls.pem"
tls_key = "tls.key.pem"
tls_authorities = "{authorities}"
log_level = "warning"
"""
ISSUER = """
[issuer]
name = "University of the demo"
key = "key.pem"
certificates = "chain.pem"

[issuer.hub]
did = "{did}"
chain_id = "{chain_id}"
rpc = ["{rpc}"]
consensus_rpc = ["{consensus}"]
account = {account}
seal_account = {seal_account}
list_schema = "sha256:{schema}"

[[issuer.credentials]]
id = "{type}"
vct = "{vct}"
name = "Diploma"
schema_hash = "sha256:{schema}"
claims = [
  {{ name = "given_name", mandatory = true }},
  {{ name = "birth_date", mandatory = true }},
  {{ name = "degree", mandatory = true }},
  {{ name = "year", mandatory = true }},
]
"""
VERIFIER = """
[verifier]
key = "key.pem"
certificates = "chain.pem"
request_life_s = 3600

[verifier.policies.{policy}]
title = "Diploma"
query = "query.json"
anchors = "{anchors}"
max_status_age_s = 60
page = true
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a daemon is: `folder` has its files, `url` is how wallets call it, over HTTPS under `authorities` (PEM)."""

    folder: Path
    port: int
    authorities: Path

    @classmethod
    def of(cls, home: Path, name: str, authority: Authority) -> "Place":
        """A new folder and a free port, with a certificate for HTTPS.

        Raises:
            DemoFailed: no port is free.
            FileExistsError: there is such a folder.
        """
        folder = home / name
        folder.mkdir(mode=0o700)
        authority.certify_https(folder)
        return cls(folder, free_port(), authority.certificate_file)

    @property
    def url(self) -> str:
        """On this machine alone."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """Of `hutong identity serve`."""
        return self.folder / "identity.toml"

    async def serve(self, nursery: trio.Nursery) -> None:
        """Start the daemon; returns when it is ready.

        Raises:
            DemoFailed: it ended, or was not ready in time.
        """
        name, log = self.folder.name, self.folder.with_name(f"{self.folder.name}.log")
        serve = ["identity", "serve", "--config", str(self.config)]
        await nursery.start(run_daemon, name, serve, log)
        with trio.move_on_after(START_LIMIT_S) as scope:
            async with self.client() as client:
                await _wait_until_ready(client)
        if scope.cancelled_caught:
            raise DemoFailed(f"{name} was not ready within {START_LIMIT_S} s: {last_line(log)}")

    def client(self) -> httpx.AsyncClient:
        """Calls the daemon; waits REQUEST_TIMEOUT_S for an answer."""
        trust = ssl.create_default_context(cafile=str(self.authorities))
        return httpx.AsyncClient(base_url=self.url, verify=trust, trust_env=False, timeout=REQUEST_TIMEOUT_S)

    @property
    def server_table(self) -> str:
        """`[server]` of its configuration."""
        return SERVER.format(port=self.port, url=self.url, authorities=self.authorities)


async def _wait_until_ready(client: httpx.AsyncClient) -> None:
    """The caller sets the deadline."""
    while True:
        with suppress(httpx.TransportError):
            if (await client.get("/readyz")).status_code == httpx.codes.OK:
                return
        await trio.sleep(POLL_INTERVAL_S)


def write_issuer(place: Place, running: Running, university: Organisation, schema: str) -> None:
    """Its configuration; key and certificate are in the folder before."""
    text = place.server_table + ISSUER.format(
        did=university.did,
        chain_id=CHAIN_ID,
        rpc=running.hub_url,
        consensus=running.consensus_url,
        account=university.writer.toml,
        seal_account=university.sealer.toml,
        schema=schema,
        type=TYPE,
        vct=VCT,
    )
    write_private(place.config, text)


def write_verifier(place: Place, authority: Authority) -> None:
    """Its configuration, and the question in DCQL."""
    claims = [{"path": [name]} for name in SHOWN]
    asked = {"id": TYPE, "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims}
    create_durably(place.folder / "query.json", json.dumps({"credentials": [asked]}).encode(), READABLE)
    table = VERIFIER.format(policy=POLICY, anchors=authority.certificate_file)
    write_private(place.config, place.server_table + table)


@dataclass(frozen=True, slots=True)
class Desk:
    """Asks wallets through the verifier's HTTP door, as a shop's program does."""

    place: Place
    key: str

    @classmethod
    async def open(cls, place: Place, commands: Commands) -> "Desk":
        """With a key of its own.

        Raises:
            DemoFailed: the command failed.
        """
        made = await commands.run(
            "identity", "api-key", "create", "--config", place.config, "demo", "--scope", "verify"
        )
        return cls(place, made.strip())

    async def ask(self) -> tuple[str, str]:
        """A new request: its id, and the link for a wallet.

        Raises:
            DemoFailed: the verifier does not take it.
        """
        asked = await self._call("POST", "/v1/verifier/requests", {"policy": POLICY})
        return asked["id"], asked["link"]

    async def result(self, request_id: str) -> dict[str, Any]:
        """What came of it.

        Raises:
            DemoFailed: the verifier does not say.
        """
        return await self._call("GET", f"/v1/verifier/requests/{request_id}")

    async def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            async with self.place.client() as client:
                answer = await client.request(method, path, json=body, headers=headers)
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                return found
        except (httpx.HTTPError, ValueError) as error:
            raise DemoFailed(f"the verifier's {path} failed: {error}") from None


async def fetch_list(place: Place, number: int) -> str:
    """The issuer's status list, as any mirror would serve it.

    Raises:
        DemoFailed: the issuer does not serve it.
    """
    try:
        async with place.client() as client:
            answer = await client.get(f"/status/{number}")
            answer.raise_for_status()
            return answer.text.strip()
    except httpx.HTTPError as error:
        raise DemoFailed(f"the issuer's status list {number} cannot be had: {error}") from None
