"""Organisations of the city's hub: registered, accredited, taken back and heard by the commands of docs/identity/organisations.md.

Keys and what was sent are files of the city's home, so that a case finds the organisation of an earlier one.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from hutong.light_clients.crypto import secp256k1
from hutong.relay.administration.identity.key_files import jwk_of_account, thumbprint_of_file
from hutong.relay.base.durable_files import READABLE, create_durably, write_durably
from hutong.relay.city.errors import CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.local.hub import THRESHOLD
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.processes import Command, run_command
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import changed_chunks, encode_update, prove_update

ROOT_NAME: Final = "ministry"
"""The root of accreditation, by the hub's admins."""
LIST_SIZE: Final = 2**20
LIST_NUMBER: Final = 0
"""Each organisation that issues has one list."""
FOLDER: Final = "organisations"


@dataclass(frozen=True, slots=True)
class CityOrganisation:
    """`seal_key_file` is the key with which it seals credentials for contracts (64 hexadecimal digits in one line); `revoked`
    are the indices of its list whose bit is set."""

    name: str
    did: str
    seal_key_file: str
    thumbprints: tuple[str, ...]
    """Of its keys, RFC 7638 in hexadecimal: that of the seals, and that of the account that writes its list."""
    revoked: tuple[int, ...] = ()

    @property
    def list_bytes(self) -> bytes:
        """Its list as whoever serves lists has it: one bit an index, the least significant first."""
        octets = bytearray(LIST_SIZE // 8)
        for index in self.revoked:
            octets[index // 8] |= 1 << index % 8
        return bytes(octets)


@dataclass(frozen=True, slots=True)
class CityOrganising:
    """Of one city. `config` is a relay's configuration that has the hub; `command` runs one of `hutong`."""

    home: CityHome
    config: Path
    command: Command = run_command
    _admins: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        files = [self.home.keys / f"hub-admin-{number}" for number in range(THRESHOLD)]
        options = [part for file in files for part in ("--hub-admin", f"{file}.json")]
        options += [part for file in files for part in ("--hub-admin-password-file", f"{file}.password")]
        object.__setattr__(self, "_admins", tuple(options))

    async def found_root(self) -> CityOrganisation:
        """The city's ministry: registered, and a root of accreditation for all schemas.

        Raises:
            DemoFailed: a command failed.
        """
        ministry = await self._register(ROOT_NAME)
        await self.command(["hub", "accredit-root", ministry.did, "--config", str(self.config), *self._admins])
        return ministry

    async def organisation(self, name: str) -> CityOrganisation:
        """The organisation of that name: known from before, or registered, accredited by the ministry for all schemas, and with
        a status list.

        Raises:
            DemoFailed: a command failed.
            CityUnusable: its file cannot be read.
        """
        if self._file(name).exists():
            return self.known(name)
        made = await self._register(name)
        await self._by(ROOT_NAME, "accredit", self.known(ROOT_NAME).did, made.did)
        await self._by(f"{name}-log", "list", "open", made.did, "--key", str(self._jwk(name, "seal")))
        return made

    async def withdraw(self, name: str) -> None:
        """The ministry takes the accreditation of that organisation back.

        Raises:
            DemoFailed: a command failed, such as because it has none.
            CityUnusable: there is no such organisation.
        """
        await self._by(ROOT_NAME, "withdraw", self.known(ROOT_NAME).did, self.known(name).did)

    async def revoke(self, name: str, index: int) -> CityOrganisation:
        """The organisation sets the bit of an index of its list, for ever. Returns it as it is afterwards.

        Raises:
            DemoFailed: a command failed, such as because the bit is set.
            CityUnusable: there is no such organisation.
        """
        known = self.known(name)
        later = replace(known, revoked=tuple(sorted({*known.revoked, index})))
        changed = changed_chunks(known.list_bytes, later.list_bytes)
        update = encode_update(prove_update(TreeShape(1, LIST_SIZE), known.list_bytes, changed))
        with tempfile.TemporaryDirectory(dir=self.home.path) as folder:
            file = Path(folder) / "update"
            file.write_bytes(update)
            said = ("list", "update", known.did, str(LIST_NUMBER), "--update", str(file))
            await self._by(f"{name}-log", *said)
        self._remember(later)
        return later

    def known(self, name: str) -> CityOrganisation:
        """The organisation of that name.

        Raises:
            CityUnusable: there is none, or its file cannot be read.
        """
        try:
            said: dict[str, Any] = json.loads(self._file(name).read_bytes())
            lists = {name: tuple(said[name]) for name in ("thumbprints", "revoked")}
            return CityOrganisation(**said | lists)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CityUnusable(f"{self._file(name)} is not of an organisation of this city: {error}") from None

    async def _register(self, name: str) -> CityOrganisation:
        """With a key for contracts and one that writes lists, both named in files; as a stranger, until somebody accredits it."""
        make_key(self.home.path, name)
        writer, seal = make_key(self.home.path, f"{name}-log"), Account.from_key(os.urandom(32))
        seal_key_file = self.home.keys / f"{name}-seal.key"
        create_durably(seal_key_file, f"{seal.key.hex().removeprefix('0x')}\n".encode())
        public = {"seal": secp256k1.public_key_of(bytes(seal.key)), "log": writer.signer().public_key}
        for purpose, key in public.items():
            create_durably(self._jwk(name, purpose), json.dumps(jwk_of_account(key)).encode())
        keys = [f"{purpose}={self._jwk(name, file)}" for purpose, file in (("contract", "seal"), ("log", "log"))]
        said = await self._by(name, "register", "--json", *(part for key in keys for part in ("--key", key)))
        thumbprints = tuple(thumbprint_of_file(self._jwk(name, purpose)).hex() for purpose in public)
        file = str(seal_key_file.relative_to(self.home.path))
        made = CityOrganisation(name, json.loads(said)["did"], file, thumbprints)
        self._remember(made)
        return made

    async def _by(self, key: str, *arguments: str) -> str:
        """A command of `hutong identity`, signed by one of the city's keystores."""
        signer = Key(self.home.keys / f"{key}.json", self.home.keys / f"{key}.password", "").options
        return await self.command(["identity", *arguments, "--config", str(self.config), *signer])

    def _jwk(self, name: str, purpose: str) -> Path:
        return self.home.keys / f"{name}-{purpose}.jwk.json"

    def _file(self, name: str) -> Path:
        return self.home.path / FOLDER / f"{name}.json"

    def _remember(self, organisation: CityOrganisation) -> None:
        file = self._file(organisation.name)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_durably(file, (json.dumps(asdict(organisation), indent=1) + "\n").encode(), READABLE)
