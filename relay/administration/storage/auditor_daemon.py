"""`hutong storage auditor`: begun once, and run until told to stop."""

import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.storage.auditor_secrets import AuditorSecrets, SecretsUnusable, open_secrets
from hutong.relay.administration.storage.auditor_settings import AuditorConfig
from hutong.relay.administration.storage.auditor_work import AuditorWork
from hutong.relay.administration.storage.shown_hub import open_shown_hub
from hutong.relay.archive.checkpoint import Checkpoint, decode_checkpoint
from hutong.relay.base.durable_files import create_durably, make_folder_durably
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.base.os_errors import os_reason
from hutong.relay.keys import KeyUnavailable, Signer, create_keystore, load_signer, new_key
from hutong.relay.services.storage.beginning import NotBegun, beginning_once, hub_lines
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.telemetry import get_logger

HOME: Final = HomeKind("another storage auditor", "auditor.lock")
CONFIG_NAME: Final = "auditor.toml"
BELIEVED_FILE: Final = "believed.checkpoint.json"
"""In the home: the newest header that was proven, from which the next is."""
_KEYSTORE: Final = "keys/auditor.json"
_PASSWORD: Final = "keys/password"  # noqa: S105  a file's name


class AuditorUnusable(Exception):
    """Why an auditor cannot begin: one sentence, for whoever starts it."""


@dataclass(frozen=True, slots=True)
class BegunAuditor:
    """What governance needs to name it."""

    config: Path
    auditor: str
    account: str


def begin_auditor(home: Path, chain_id: str, checkpoint: Path, rpc: str, consensus_rpc: str) -> BegunAuditor:
    """Draw an id and a key, and write the configuration. A home that has one is never changed.

    Raises:
        AuditorUnusable: there is one already, or the folder cannot be written.
    """
    config, auditor = home / CONFIG_NAME, secrets.token_hex(32)
    lines = [
        "[auditor]",
        'home = "state"',
        'audits = "audits"',
        f'chain_id = "{chain_id}"',
        f'auditor_id = "{auditor}"',
        f'checkpoint = "{checkpoint.resolve()}"',
        f'key = {{ keystore = "{_KEYSTORE}", password_file = "{_PASSWORD}" }}',
        "",
        *hub_lines(rpc, consensus_rpc),
    ]
    try:
        with beginning_once(config, "an auditor"):
            make_folder_durably(home / "keys")
            create_durably(home / _PASSWORD, secrets.token_urlsafe(32).encode())
            account = create_keystore(home / _KEYSTORE, new_key(), (home / _PASSWORD).read_bytes())
            create_durably(config, "\n".join(lines).encode())
    except NotBegun as error:
        raise AuditorUnusable(str(error)) from None
    return BegunAuditor(config, auditor, account)


async def run_auditor(config: AuditorConfig, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when it works.

    Raises (maybe inside an exception group):
        AuditorUnusable: home, key, checkpoint or hub cannot be used.
    """
    process = config.auditor
    signer = await trio.to_thread.run_sync(_load_key, config)
    try:
        try:
            lock = await trio.to_thread.run_sync(lock_home, process.home, HOME)
        except HomeNotLocked as error:
            raise AuditorUnusable(str(error)) from None
        try:
            await _work(config, signer, on_ready)
        finally:
            lock.release()
    finally:
        with trio.CancelScope(shield=True):
            await signer.aclose()
    get_logger("storage_auditor").info("stopped")


async def _work(config: AuditorConfig, signer: Signer, on_ready: Callable[[str], None]) -> None:
    process = config.auditor
    held = await trio.to_thread.run_sync(_secrets_of, config)
    trusted = await trio.to_thread.run_sync(believed_of, config)
    try:
        async with (
            open_shown_hub(config.hub, trusted, process.home / BELIEVED_FILE, signer) as hub,
            trio.open_nursery() as nursery,
        ):
            # whoever reads that it is ready may end it at once
            await nursery.start(_stop_on_signal, nursery.cancel_scope)
            on_ready(f"storage auditor {process.auditor_id} ready: audits of {process.chain_id} go to {process.audits}")
            await AuditorWork(hub, held, process.home, process.audits).keep_working(config.hub.interval_s)
    except HubSilent as error:
        raise AuditorUnusable(f"the hub cannot be used: {error}") from None


def _load_key(config: AuditorConfig) -> Signer:
    try:
        return load_signer(config.auditor.key)
    except (KeyUnavailable, ValueError) as error:
        raise AuditorUnusable(str(error)) from None


def _secrets_of(config: AuditorConfig) -> AuditorSecrets:
    process = config.auditor
    try:
        make_folder_durably(process.audits, 0o755)
        return open_secrets(process.home, hub_id(process.chain_id), bytes.fromhex(process.auditor_id))
    except SecretsUnusable as error:
        raise AuditorUnusable(str(error)) from None
    except OSError as error:
        raise AuditorUnusable(f"{process.audits} cannot be used: {os_reason(error)}") from None


def believed_of(config: AuditorConfig) -> Checkpoint:
    """The newer of the configured checkpoint and the header that was proven last. Blocks.

    Raises:
        AuditorUnusable: one cannot be read, or is of another chain.
    """
    process, found = config.auditor, list[Checkpoint]()
    kept = process.home / BELIEVED_FILE
    for path in (process.checkpoint, *([kept] if kept.exists() else [])):
        try:
            checkpoint = decode_checkpoint(path.read_bytes())
        except OSError as error:
            raise AuditorUnusable(f"{path} cannot be read: {os_reason(error)}") from None
        except VerificationError as error:
            raise AuditorUnusable(f"{path}: {error}") from None
        if checkpoint.chain_id != process.chain_id:
            raise AuditorUnusable(f"{path} is of chain {checkpoint.chain_id}, not {process.chain_id}")
        found.append(checkpoint)
    return max(found, key=lambda one: one.height)


async def _stop_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
            return
