"""A graduate with `hutong wallet`: takes a diploma, presents it to a verifier and to a contract."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.relay.base.durable_files import create_durably
from hutong.relay.demo.identity.commands import Commands, Ran
from hutong.relay.local.processes import DemoFailed


@dataclass(frozen=True, slots=True)
class Holder:
    """`folder` is the wallet's; its password is in a file beside it."""

    folder: Path
    commands: Commands

    @classmethod
    async def begin(cls, home: Path, commands: Commands, authorities: Path) -> "Holder":
        """A new wallet, which trusts issuers, verifiers and HTTPS under `authorities` (PEM).

        Raises:
            DemoFailed: the command failed.
        """
        holder = cls(home / "wallet", commands)
        create_durably(holder.password_file, b"a password of the demo\n")
        trust = ("--issuers", authorities, "--verifiers", authorities, "--tls", authorities)
        await commands.run("wallet", "init", *holder.options, *trust)
        return holder

    @property
    def password_file(self) -> Path:
        """The wallet's password, its owner's alone."""
        return self.folder.with_name("wallet.password")

    @property
    def options(self) -> tuple[object, ...]:
        """Of every command that opens the wallet."""
        return ("--home", self.folder, "--password-file", self.password_file)

    async def accept(self, offer: dict[str, Any], count: int) -> str:
        """Take one-time credentials, each with a seal; the wallet's name for them.

        Raises:
            DemoFailed: issuer or wallet refuses.
        """
        taken = ("--tx-code", offer["transaction_code"], "--count", count, "--seals", "--yes")
        await self.commands.run("wallet", "accept", offer["link"], *taken, *self.options)
        held = json.loads(await self.commands.run("wallet", "list", "--json", *self.options))
        if len(held) != 1 or held[0]["count"] != count:
            raise DemoFailed(f"the wallet holds something else than {count} credentials of one kind")
        return str(held[0]["name"])

    async def present(self, link: str) -> Ran:
        """Answer a verifier's request; exit code 1 where it refuses."""
        return await self.commands.attempt("wallet", "present", link, "--yes", *self.options)

    async def present_to_contract(
        self, name: str, gate: str, chain_id: int, caller: str, call: bytes, claims: Sequence[str]
    ) -> str:
        """Sign for one call of one caller to one contract: JSON for the transaction's sender.

        Raises:
            DemoFailed: the wallet refuses.
        """
        where = ("--gate", gate, "--chain-id", chain_id, "--caller", caller, "--call", f"0x{call.hex()}")
        shown = [part for claim in claims for part in ("--claim", claim)]
        return await self.commands.run(
            "wallet", "present-contract", name, *where, *shown, "--within", 3_600, "--yes", *self.options
        )

    async def qr(self, link: str, file: Path) -> None:
        """A link as a picture, for a wallet on a phone.

        Raises:
            DemoFailed: the link does not read.
        """
        await self.commands.run("wallet", "qr", link, "--to", file)
