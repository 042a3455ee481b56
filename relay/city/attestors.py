"""The attestors of one chain: each its own process with a key of its own, in front of the chain's node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from hutong.relay.local.config_file import write_private
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.member import ChainPlan
from hutong.relay.local.processes import Daemon


@dataclass(frozen=True, slots=True)
class Attestor:
    """One of them before it runs."""

    name: str
    key: Key
    port: int

    def configuration(self, home: Path, chain: ChainPlan, router: str, signs_for: Mapping[str, str]) -> str:
        """Its TOML file.

        Args:
            router: of the chain that it speaks for.
            signs_for: an entry of `destinations`, as `hutong path create --json` prints it.
        """
        return (
            f'[attestor]\nhome = "{home / self.name}"\nhttp = "127.0.0.1:{self.port}"\nkey = {self.key.toml}\n'
            f'\n[source]\nchain_id = {chain.chain_id}\nrpc = ["{chain.url}"]\nrouter = "{router}"\nconfirmations = 0\n'
            f'poll_interval_ms = 200\n\n[[destinations]]\nchain_id = "{signs_for["chain_id"]}"\n'
            f'router = "{signs_for["router"]}"\nclient = "{signs_for["client"]}"\n'
        )

    def daemon(self, home: Path, configuration: str) -> Daemon:
        """Write its file and return its process, not started yet.

        Raises:
            OSError: the file cannot be written.
        """
        file = home / f"{self.name}.toml"
        write_private(file, configuration)
        alive = httpx.Request("GET", f"http://127.0.0.1:{self.port}/healthz")
        return Daemon(self.name, ["attest", "run", "--config", str(file)], home / f"{self.name}.log", alive)


def make_attestors(home: Path, names: Sequence[str], ports: Sequence[int]) -> tuple[Attestor, ...]:
    """With new keys, in the order of the names.

    Raises:
        FileExistsError: there are keys of these names already.
    """
    return tuple(Attestor(name, make_key(home, name), port) for name, port in zip(names, ports, strict=True))


def attestor_options(attestors: Sequence[Attestor], threshold: int) -> tuple[str, ...]:
    """For `hutong path create`: whom the hub's client believes."""
    return (
        *(part for attestor in attestors for part in ("--attestor", attestor.key.address)),
        *("--threshold", str(threshold)),
    )
