"""A token of SoftHSM2 or kryoptic in a folder of its own, as its owner would make it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from hutong.relay.administration.keys.token_keys import key_table
from hutong.relay.config import Pkcs11Config
from hutong.relay.keys.source import KeyAlgorithm
from hutong.relay.keys.sources.pkcs11.place import compressed
from hutong.relay.keys.sources.pkcs11.process import TokenPlace, TokenProcess
from hutong.relay.keys.sources.pkcs11.source import Pkcs11Key
from tests.nodes.provision import kryoptic, pkcs11_tool, softhsm, softhsm_util

PIN, SO_PIN = "correct-horse-29", "battery-staple-31"
SOFTHSM_CONF = (
    "directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
)
KRYOPTIC_CONF = '[[slots]]\nslot = {slot}\ndbtype = "sqlite"\ndbargs = "{folder}/tokens/token.sql"\n'


@dataclass
class SoftToken:
    """`folder` holds it, its configuration and its PIN's file. `variable` tells its library where that is."""

    folder: Path
    module: Path
    variable: str
    label: str = "relay"
    keys: dict[str, bytes] = field(default_factory=dict)

    @property
    def pin_file(self) -> Path:
        return self.folder / "token.pin"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def place(self) -> TokenPlace:
        return TokenPlace(self.module, self.label, None, self.pin_file)

    def tool(self, *arguments: str, program: Path | None = None) -> str:
        """What OpenSC's tool, or another, says of it."""
        done = subprocess.run(
            [program or pkcs11_tool(), "--module", self.module, *arguments],
            env=os.environ | {"PIN": PIN, "SO_PIN": SO_PIN},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def initialise(self, label: str) -> None:
        """A new token of SoftHSM2, in its free slot."""
        owner = ("--so-pin", SO_PIN, "--pin", PIN)
        self.tool("--init-token", "--free", "--label", label, *owner, program=softhsm_util())

    async def generate(self, key_id: str = "01", curve: str = "secp256k1") -> bytes:
        """A key that cannot leave, made by our own door; its compressed public key."""
        process = await TokenProcess.start()
        try:
            await process.open(self.place)
            point = await process.ask("generate", {"key_id": key_id, "curve": curve, "label": f"key {key_id}"})
        finally:
            await process.aclose()
        key = compressed(KeyAlgorithm(curve), bytes.fromhex(point))
        assert key is not None
        self.keys[key_id] = key
        return key

    def table(self, key_id: str = "01") -> str:
        """A key file of one of its keys."""
        return key_table(self.place, key_id, "secp256k1", self.keys[key_id])

    def source(self, key_id: str = "01", **more: object) -> Pkcs11Key:
        table = {
            "kind": "pkcs11",
            "module": str(self.module),
            "token_label": self.label,
            "key_id": key_id,
            "public_key": self.keys[key_id].hex(),
            "pin_file": str(self.pin_file),
        }
        return Pkcs11Key(Pkcs11Config.model_validate(table | more))

    def leave(self) -> None:
        """The token is pulled out."""
        self.tokens.rename(self.folder / "elsewhere")

    def come_back(self) -> None:
        (self.folder / "elsewhere").rename(self.tokens)


def _made(folder: Path, module: Path, variable: str, configuration: str) -> SoftToken:
    token = SoftToken(folder, module, variable)
    token.tokens.mkdir(parents=True)
    (folder / "token.conf").write_text(configuration)
    os.environ[variable] = str(folder / "token.conf")
    token.pin_file.write_text(PIN + "\n")
    token.pin_file.chmod(0o600)
    return token


def softhsm_token(folder: Path) -> SoftToken:
    """Sets SOFTHSM2_CONF of this process: of one token at a time."""
    token = _made(folder, softhsm(), "SOFTHSM2_CONF", SOFTHSM_CONF.format(folder=folder))
    token.initialise(token.label)
    return token


def kryoptic_token(folder: Path, slot: int = 7) -> SoftToken:
    """Sets KRYOPTIC_CONF of this process. Raises NotProvisioned where it cannot be built."""
    token = _made(folder, kryoptic(), "KRYOPTIC_CONF", KRYOPTIC_CONF.format(folder=folder, slot=slot))
    token.tool("--init-token", "--slot", str(slot), "--label", token.label, "--so-pin", "env:SO_PIN")
    owner = ("--login", "--login-type", "so", "--so-pin", "env:SO_PIN")
    token.tool("--slot", str(slot), *owner, "--init-pin", "--pin", "env:PIN")
    return token


def renumber(token: SoftToken, slot: int) -> None:
    """The same token of kryoptic in another slot."""
    (token.folder / "token.conf").write_text(KRYOPTIC_CONF.format(folder=token.folder, slot=slot))


def children() -> list[int]:
    """Process ids of this process's children."""
    found: list[int] = []
    for tasks in Path("/proc/self/task").glob("*/children"):
        found += [int(one) for one in tasks.read_text().split()]
    return found
