"""A hub whose only validator's key a stock signer has."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hutong.relay.hub.home.home import REMOTE_KEY_FILE, load_validator_key
from hutong.relay.local.ports import free_port
from tests.nodes.cometbft.cometbft_network import Program
from tests.nodes.privval.signer_programs import hutong, new_priv_val_server, new_tmkms
from tests.nodes.privval.tapped_socket import TappedSocket
from tests.nodes.provision import tmkms_path
from tests.relay.hub.hub_process import HubProcess, new_home

CHAIN = "hutong-1"
NO_TMKMS = pytest.mark.skipif(
    not tmkms_path().is_file(), reason="tmkms is built by `python tests/nodes/provision.py tmkms` alone"
)
STOCK_SIGNERS = ["priv_val_server", pytest.param("tmkms", marks=NO_TMKMS)]


def quick_home(home: Path) -> Path:
    """Of 20 blocks a second, where the machine allows."""
    return new_home(home, block_interval_ms=50, proof_block_delay_ms=20)


class SignedHub:
    """One validator of the embedded engine among (no) peers. `tap` is between node and signer, and keeps what was signed."""

    def __init__(self, folder: Path, home: Path, stock: Path, public_key: bytes) -> None:
        """`home` and `stock` (what the signer has) are made before: see `made` and `restored`."""
        self.folder, self.home, self.stock, self.public_key = folder, home, stock, public_key
        self.tap = TappedSocket(folder / "tap", folder / "node", CHAIN, holds=True)
        self.node = HubProcess(home)
        self._signers: list[Program] = []

    @classmethod
    def made(cls, folder: Path, make_home: Callable[[Path], Path] = quick_home) -> "SignedHub":
        """As an operator makes it: the key leaves the home for a folder of the signer's."""
        folder.mkdir()
        home, stock, key = make_home(folder / "hub"), folder / "stock", folder / "key.toml"
        hutong("network", "init", "--home", home, "--listen", f"127.0.0.1:{free_port()}")
        public_key = load_validator_key(home).public_key.data
        key.write_text(
            f'[key]\nkind = "privval"\nlisten = "unix://{folder}/node"\nchain_id = "{CHAIN}"\n'
            # Long: priv_val_server never dials again once its node has hung up, as after a timeout.
            f'public_key = "{public_key.hex()}"\ntimeout_ms = 30_000\n'
        )
        hutong("key", "source", "--home", home, "--key", key, "--move-to", stock)
        return cls(folder, home, stock, public_key)

    def restored(self, folder: Path) -> "SignedHub":
        """Another machine with copies of this one's files as they are: node and signer must stand still meanwhile."""
        folder.mkdir()
        shutil.copytree(self.home, folder / "hub")
        shutil.copytree(self.stock, folder / "stock")
        table = folder / "hub" / REMOTE_KEY_FILE
        table.write_text(table.read_text().replace(f"{self.folder}/node", f"{folder}/node"))
        network = folder / "hub" / "network.toml"
        network.write_text(_with_another_port(network.read_text()))
        return SignedHub(folder, folder / "hub", folder / "stock", self.public_key)

    def signer(self, name: str) -> Program:
        """A stock signer of the key, which dials the tap; not started."""
        made = (
            new_priv_val_server(self.stock, self.tap.path, CHAIN)
            if name == "priv_val_server"
            else new_tmkms(self.stock, [self.tap.path], CHAIN)
        )
        self._signers.append(made)
        return made

    def stop(self) -> None:
        """The node ends before its signer: it waits for a signature that it asked for."""
        code, errors = self.node.stop()
        assert code == 0, errors
        self._kill_signers()

    def close(self) -> None:
        if self.node.process is not None and self.node.process.poll() is None:
            self.node.kill()
        self._kill_signers()
        self.tap.close()

    def _kill_signers(self) -> None:
        for signer in self._signers:
            if signer.running:
                signer.kill()


def _with_another_port(network: str) -> str:
    lines = network.splitlines()
    moved = [f'listen = "127.0.0.1:{free_port()}"' if line.startswith("listen") else line for line in lines]
    assert moved != lines
    return "\n".join(moved) + "\n"
