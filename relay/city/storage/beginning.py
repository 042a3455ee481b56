"""Operators, a gateway and an auditor of the city's storage, begun once and named on the hub by the commands of docs/storage."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hutong.relay.base.durable_files import create_durably
from hutong.relay.city.errors import CityFailed
from hutong.relay.city.home import CityHome
from hutong.relay.city.plan import HUB_NAME, storage_ports
from hutong.relay.local.hub import THRESHOLD

FOLDER: Final = "storage"
ORGANISATIONS: Final = ("archive", "clinic", "court", "port", "university")
"""Operators are dealt out to these in turn, each with a site of its own: of 14 none has more than three, of 6 more than two."""
PROBES: Final = 64
CUT_BLOCKS: Final = 2
REVEAL_S: Final = 120
DEADLINE_S: Final = 60
"""For answers of operators that share two cores with everything else."""
SHORT_EPOCH_S: Final = 10
REST_EPOCH_S: Final = 86_400
Run = Callable[..., str]


@dataclass(frozen=True, slots=True)
class HubAddress:
    """Where daemons of storage reach the hub, and as which chain they know it."""

    chain_id: str
    rpc: str
    consensus_rpc: str

    @property
    def options(self) -> tuple[str, ...]:
        """Of the commands that begin a daemon."""
        return "--chain-id", self.chain_id, "--rpc", self.rpc, "--consensus-rpc", self.consensus_rpc


@dataclass(frozen=True, slots=True)
class CityStorage:
    """Of one city. `run` is a command of `hutong`, of whoever runs the city, and gives what it printed."""

    home: CityHome
    config: Path
    hub: HubAddress
    base_port: int
    run: Run

    @property
    def folder(self) -> Path:
        """Homes of all daemons, and what they printed when they were begun."""
        return self.home.path / FOLDER

    def gateway(self) -> dict[str, Any]:
        """The gateway's facts and keys, as `hutong storage gateway init` printed them; begun and named a writer if there is none.

        Raises:
            CityFailed: a command failed.
        """
        port, _ = storage_ports(self.base_port, 0)
        made = self._begun("gateway", "--listen", f"127.0.0.1:{port}", *self.hub.options)
        return self._named("gateway", "writer", made)

    def auditor(self) -> dict[str, Any]:
        """Likewise the auditor's."""
        checkpoint = str(self.home.checkpoint_of(HUB_NAME))
        return self._named("auditor", "auditor", self._begun("auditor", "--checkpoint", checkpoint, *self.hub.options))

    def repairer(self) -> dict[str, Any]:
        """Likewise the repairer's."""
        return self._named("repairer", "repairer", self._begun("repairer", *self.hub.options))

    def look_after(self, gateway: dict[str, Any], repairer: dict[str, Any]) -> None:
        """Give the repairer the key of the masks of the gateway's packs, once the gateway knows operators.

        Raises:
            CityFailed: a command failed.
        """
        root = self.folder / "gateway.root"
        if not root.exists():
            self.run("storage", "gateway", "repair-root", "--config", gateway["config"], "--out", str(root))
            known = ("--owner", gateway["writer"], "--repair-root", str(root))
            self.run("storage", "repairer", "add", "--config", repairer["config"], *known)

    def operator(self, number: int, gateway: dict[str, Any], repairer: dict[str, Any]) -> dict[str, Any]:
        """Likewise an operator's, by its number from 0: registered, activated, and known to gateway and repairer.

        Raises:
            CityFailed: a command failed.
        """
        name = f"operator-{number}"
        _, port = storage_ports(self.base_port, number)
        served = ("--writer", gateway["writer"], "--repairer", repairer["repairer"])
        made = self._begun(name, "--listen", f"127.0.0.1:{port}", *served, *self.hub.options)
        marker = self.folder / f"{name}.named"
        if not marker.exists():
            organisation = self.organisation(number)
            labels = ("--organisation", organisation, "--site", f"{organisation}-1", "--region", "city")
            said = ("--account", made["account"], *labels, "--engine", "folder", "--weight", "1")
            self._govern("storage-operator", made["operator"], *said)
            self._govern("storage-state", made["operator"], "active")
            known = ("--operator", made["operator"], "--url", f"http://127.0.0.1:{port}")
            self.run("storage", "gateway", "add", "--config", gateway["config"], *known)
            self.run("storage", "repairer", "add", "--config", repairer["config"], *known)
            create_durably(marker, b"")
        return made

    @staticmethod
    def organisation(number: int) -> str:
        """Whose the operator of that number is."""
        return ORGANISATIONS[number % len(ORGANISATIONS)]

    def set_epochs(self, data: int, parity: int, epoch_s: int) -> None:
        """The code that packs are stored with from now on, and how often operators are audited.

        Raises:
            CityFailed: the hub refuses it.
        """
        times = ("--epoch", epoch_s, "--cut-blocks", CUT_BLOCKS, "--reveal", REVEAL_S, "--deadline", DEADLINE_S)
        asked = ("--probes", PROBES, "--full-probes", PROBES, "--data", data, "--parity", parity)
        self._govern("set-storage", *map(str, (*times, *asked)))

    def _begun(self, name: str, *options: str) -> dict[str, Any]:
        file = self.home.keys / f"storage-{name}.json"
        if not file.exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            kind = name.partition("-")[0]
            printed = self.run("storage", kind, "init", "--home", str(self.folder / name), *options, "--json")
            create_durably(file, printed.encode())
        try:
            made: dict[str, Any] = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise CityFailed(f"{file} is not what this city wrote: {error}") from None
        return made

    def _named(self, name: str, role: str, made: dict[str, Any]) -> dict[str, Any]:
        marker = self.folder / f"{name}.named"
        if not marker.exists():
            self._govern("storage-party", role, made[role], "--account", made["account"])
            create_durably(marker, b"")
        return made

    def _govern(self, *arguments: str) -> None:
        files = [self.home.keys / f"hub-admin-{number}" for number in range(THRESHOLD)]
        admins = [part for file in files for part in ("--hub-admin", f"{file}.json")]
        admins += [part for file in files for part in ("--hub-admin-password-file", f"{file}.password")]
        self.run("hub", *arguments, "--config", str(self.config), *admins)
