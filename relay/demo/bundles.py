"""The proof of every packet of the demo, for `hutong audit verify`: checkpoints before the traffic, bundles after
it."""

from pathlib import Path

from hutong.relay.local.network import Network
from hutong.relay.local.processes import run_command


class Bundles:
    """Files in one folder: `<chain>.checkpoint.json`, and one bundle a packet that users sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checkpoints: list[Path] = []

    async def take_checkpoints(self, network: Network) -> None:
        """Of every chain, now: what the auditor trusts is older than what is proven. The folder is made if need be.

        Raises:
            DemoFailed: `hutong audit checkpoint` failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for chain in (*network.chains, network.hub):
            file = self.folder / f"{chain.name}.checkpoint.json"
            await run_command(
                ["audit", "checkpoint", "--config", str(network.administration), "--chain", chain.name, "-o", str(file)]
            )
            self._checkpoints.append(file)

    async def export(self, network: Network) -> None:
        """A bundle of every packet in the relay's archive, made provable from the checkpoints.

        Raises:
            DemoFailed: `hutong audit export` failed.
        """
        roots = [part for file in self._checkpoints for part in ("--checkpoint", str(file))]
        export = ["audit", "export", "--all", "--config", str(network.administration), *roots, "-o", str(self.folder)]
        await run_command(export)
