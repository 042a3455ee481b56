"""What lies in an operator's home, locked and open: index, engine, identity; and its key."""

import sqlite3
import time
from dataclasses import dataclass
from typing import Final

from hutong.relay.base.file_lock import FileLock
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.keys import KeyUnavailable, Signer, load_signer
from hutong.relay.services.storage.engines.durability import settled
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.engines.opening import open_engine
from hutong.relay.services.storage.operator.desk import OperatorId
from hutong.relay.services.storage.operator.index import ShardIndex
from hutong.relay.services.storage.operator.settings import OperatorConfig
from hutong.relay.services.storage.operator.shelf import Shelf
from hutong.relay.services.storage.rules.audits.seed import hub_id

HOME: Final = HomeKind("another storage operator", "operator.lock")
DRAINING_FILE: Final = "draining"
"""In the home: an operator that no hub tells so takes no new shards while it is there."""


class OperatorUnusable(Exception):
    """Why an operator cannot begin: one sentence, for whoever starts it."""


@dataclass(frozen=True, slots=True)
class OpenHome:
    """What lies in an operator's home, locked and open."""

    config: OperatorConfig
    identity: OperatorId
    index: ShardIndex
    shelf: Shelf
    lock: FileLock

    def close(self) -> None:
        """The home is the next one's."""
        self.index.close()
        self.lock.release()


def open_home(config: OperatorConfig) -> OpenHome:
    """Lock a home, open index and engine, and have written again what the engine lost. Blocks.

    Raises:
        OperatorUnusable: another process has it, or a part of it cannot be used.
    """
    process = config.operator
    try:
        lock = lock_home(process.home, HOME)
    except HomeNotLocked as error:
        raise OperatorUnusable(str(error)) from None
    try:
        engine = open_engine(config.engine, process.home)
        settled(engine, time.time())
        index = ShardIndex(process.home)
    except (EngineUnavailable, ValueError) as error:
        lock.release()
        raise OperatorUnusable(str(error)) from None
    except sqlite3.Error as error:
        lock.release()
        raise OperatorUnusable(f"the index in {process.home} cannot be used: {error}") from None
    identity = OperatorId(hub_id(process.chain_id), bytes.fromhex(process.operator_id))
    said = f"{identity.hub.hex()} {identity.operator.hex()}"
    if index.fact("identity") not in (None, said):
        index.close()
        lock.release()
        raise OperatorUnusable(f"{process.home} is the home of another operator, or of another hub's")
    index.put_fact("identity", said)
    return OpenHome(config, identity, index, Shelf(engine), lock)


def load_key(config: OperatorConfig) -> Signer:
    """The operator's account. Blocks: a keystore takes a fraction of a second.

    Raises:
        OperatorUnusable: the key cannot be used.
    """
    try:
        return load_signer(config.operator.key)
    except (KeyUnavailable, ValueError) as error:
        raise OperatorUnusable(str(error)) from None
