"""An accreditor and a university on the hub, by the commands of docs/identity/organisations.md."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import trio

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.ground import Running
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.member import admin_options

ROOT_DEPTH = 1
"""Levels below the accreditor: universities, and nobody below them."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """`controller` decides for the DID, `writer` writes lists and log, `sealer` signs seals for contracts."""

    name: str
    controller: Key
    writer: Key
    sealer: Key
    registration: tuple[object, ...]
    """Options of `hutong identity register`, which give the same DID each time."""
    did: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Registers on a hub. `schema` is for what is accredited, 64 hexadecimal digits."""

    running: Running
    commands: Commands
    schema: str

    async def prepare(self, asked: tuple[str, Path | None]) -> Organisation:
        """Keys, and the DID that they will have; nothing is on the hub yet.

        Args:
            asked: a name, and the public P-256 key that signs credentials; None for who signs none.

        Raises:
            DemoFailed: a command failed.
        """
        home, (name, signing_jwk) = self.running.home, asked
        keys = [make_key(home, f"{name}-{role}") for role in ("controller", "log", "seal")]
        controller, writer, sealer = keys
        files = {"log": home / f"{name}-log.jwk.json", "contract": home / f"{name}-seal.jwk.json"}
        async with trio.open_nursery() as nursery:
            for file, key in zip(files.values(), (writer, sealer), strict=True):
                nursery.start_soon(self._write_jwk, file, key)
        if signing_jwk is not None:
            files["signing"] = signing_jwk
        said = [part for purpose, file in files.items() for part in ("--key", f"{purpose}={file}")]
        registration = (*said, "--salt", os.urandom(32).hex(), *self._by(controller))
        shown = await self.commands.run("identity", "register", *registration, "--show", "--json")
        return Organisation(name, controller, writer, sealer, registration, json.loads(shown)["did"])

    async def accredit_root(self, root: Organisation) -> None:
        """The hub's admins let it accredit others for the schema.

        Raises:
            DemoFailed: the command failed.
        """
        terms = ("--schema", self.schema, "--depth", ROOT_DEPTH, "--config", self.running.config)
        await self.commands.run("hub", "accredit-root", root.did, *terms, *admin_options(self.running.hub.admins))

    async def accredit(self, by: Organisation, subject: Organisation) -> None:
        """One organisation lets another issue under the schema.

        Raises:
            DemoFailed: the command failed.
        """
        terms = ("--schema", self.schema, *self._by(by.controller))
        await self.commands.run("identity", "accredit", by.did, subject.did, *terms)

    async def register(self, organisation: Organisation) -> None:
        """Onto the hub, accredited already.

        Raises:
            DemoFailed: the command failed.
        """
        await self.commands.run("identity", "register", *organisation.registration, "--accredited", self.schema)

    async def check(self, organisation: Organisation, checkpoint: Path) -> str:
        """What the hub proves of it, judged offline: the line of the verdict.

        Raises:
            DemoFailed: it cannot be proven, or does not hold.
        """
        file = self.running.home / f"{organisation.name}.record.json"
        trust = ("--accredited", self.schema, "--checkpoint", checkpoint)
        prove = ("identity", "prove", organisation.did, *trust, "--config", self.running.config, "--out", file)
        await self.commands.run(*prove)
        checked = await self.commands.run("identity", "check", organisation.did, file, *trust)
        return checked.strip().splitlines()[-1]

    def _by(self, key: Key) -> tuple[object, ...]:
        return ("--config", self.running.config, *key.options)

    async def _write_jwk(self, file: Path, key: Key) -> None:
        printed = await self.commands.run("identity", "jwk", *key.options)
        create_durably(file, printed.encode(), READABLE)
