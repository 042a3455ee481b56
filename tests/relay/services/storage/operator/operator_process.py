"""`hutong storage operator run` as a process of its own, asked over a socket, killed and started again."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import trio

from hutong.relay.keys import create_keystore
from hutong.relay.services.storage.engines.durability import DeclaredDurable, Journaled
from hutong.relay.services.storage.operator import state
from hutong.relay.services.storage.operator.daemon import run_operator
from hutong.relay.services.storage.operator.settings import load_operator_config
from tests.relay.services.storage.engines.dropping import DroppingEngine
from tests.relay.services.storage.operator.running import IDENTITY, KEYS, OPERATOR_KEY, account_of

READY_S = 120
FAST_SCRYPT = 2
"""Of the keystore: each start decrypts it."""


def write_home(home: Path, engine: str = 'folder = "shards"', with_accounts: bool = True) -> Path:
    """A configuration of the operator that `running` has, with its own key."""
    (home / "keys").mkdir(parents=True)
    create_keystore(home / "keys" / "receipts.json", OPERATOR_KEY, b"password", FAST_SCRYPT)
    (home / "keys" / "password").write_bytes(b"password")
    (home / "keys" / "password").chmod(0o600)
    writers = "".join(
        f'[[writers]]\nwriter_id = "{writer.hex()}"\n'
        + (f'account = "0x{account_of(key).hex()}"\n' if with_accounts else "")
        for writer, key in KEYS.items()
    )
    config = home / "operator.toml"
    config.write_text(
        f'[operator]\nhome = "state"\nlisten = "127.0.0.1:0"\nchain_id = "hutong-1"\noperator_id = "{IDENTITY.operator.hex()}"\n'
        f'key = {{ keystore = "keys/receipts.json", password_file = "keys/password" }}\nleast_free_bytes = 0\n'
        f"[engine]\n{engine}\n{writers}"
    )
    return config


class OperatorProcess:
    """One run. `url` is where it serves."""

    def __init__(self, config: Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hutong.relay.cli", "storage", "operator", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if " ready at " in line:
                self.url = url_in(line)
                return
        raise AssertionError("".join(lines))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=READY_S)
        assert self.process.returncode == 0, out
        return out


class ForkedOperator:
    """The same out of a process that has imported everything: for hundreds of kills, of which none waits for imports."""

    _context = multiprocessing.get_context("forkserver")
    _context.set_forkserver_preload([__name__, "hutong.relay.services.storage.operator.daemon"])

    def __init__(self, config: Path, engine: str = "as configured") -> None:
        """`engine`: or `dropping`, in the memory of the process, so that a kill takes what it holds, with a journal before it;
        or `believed`, the same without the journal."""
        ready, told = self._context.Pipe(duplex=False)
        self.process = self._context.Process(target=_run, args=(str(config), told, engine), daemon=True)
        self.process.start()
        told.close()
        self.url: str = ready.recv()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.join()


def _run(config: str, told, engine: str) -> None:
    if engine == "dropping":
        state.open_engine = lambda _, home: Journaled(DroppingEngine(), home / "journal")
    elif engine == "believed":
        state.open_engine = lambda *_: DeclaredDurable(DroppingEngine())
    trio.run(run_operator, load_operator_config(Path(config)), lambda said: told.send(url_in(said)))


def url_in(said: str) -> str:
    return said.partition(" ready at ")[2].split(": ")[0]
