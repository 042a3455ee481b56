"""py-evm's account database, whose journals cost what is touched and not what is dirty in the block (audit H5)."""

from typing import Any

from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.db.account import AccountDB
from eth.db.backends.memory import MemoryDB
from eth.db.cache import CacheDB
from eth.db.storage import AccountStorageDB
from eth.typing import JournalDBCheckpoint
from eth.vm.interrupt import MissingBytecode
from eth.vm.transient_storage import TransientStorage
from lru import LRU

from hutong.relay.evm.store.undo_journal import undo_journal
from hutong.relay.evm.vm.program import KNOWN_CODES

MOST_KEPT = 16_384
"""Accounts of a block, and slots of an account: more than one block can pay for, at 2 600 and 2 100 gas for the first
time."""
CLEAR_COUNT_KEY = b"clear-count"
"""py-evm's own name."""


class TouchedStorage(AccountStorageDB):
    """One account's slots."""

    def __init__(self, database: Any, storage_root: Any, address: Any) -> None:
        super().__init__(database, storage_root, address)
        # py-evm's holds 2 048 slots: a block that goes round more would read the trie for 100 gas.
        self._storage_cache = CacheDB(self._storage_lookup, MOST_KEPT)
        self._locked_changes = undo_journal(self._storage_cache)
        self._journal_storage = undo_journal(self._locked_changes)
        self._clear_count = undo_journal(MemoryDB({CLEAR_COUNT_KEY: b"\0"}))

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        """As py-evm does, but across any number of deletions.

        A contract that CREATE2 makes and that destroys itself is deleted twice in one `eth_call`, which is undone as a
        whole; py-evm raises there.

        Raises:
            eth_utils.ValidationError: there is no such checkpoint.
        """
        deletions = int.from_bytes(self._clear_count[CLEAR_COUNT_KEY], "big")
        self._journal_storage.discard(checkpoint)
        self._clear_count.discard(checkpoint)
        before = int.from_bytes(self._clear_count[CLEAR_COUNT_KEY], "big")
        if before < deletions:
            self._storage_lookup.rollback_trie(before)
            # It holds what is in the trie, which no other undoing changes; py-evm empties it each time.
            self._storage_cache.reset_cache()


class TouchedAccounts(AccountDB):
    """A store learns of a checkpoint only when it is written to after it.

    py-evm tells each dirty store of each checkpoint: 1 000 stores and 2 000 calls are two million records.
    """

    def __init__(self, database: Any, state_root: Any = BLANK_ROOT_HASH) -> None:
        super().__init__(database, state_root)
        self._journaldb = undo_journal(self._batchdb)
        self._trie_cache = CacheDB(self._trie_logger, MOST_KEPT)
        self._journaltrie = undo_journal(self._trie_cache)
        self._account_cache = LRU(MOST_KEPT)
        self._checkpoints: list[JournalDBCheckpoint] = []
        self._touched: list[dict[Any, JournalDBCheckpoint]] = []
        """For each checkpoint the stores written to since, each with the oldest checkpoint that it knows of since."""
        self._unlocked: set[Any] = set()
        """Stores with changes of the running transaction."""

    def record(self) -> Any:
        """Set a checkpoint and return it; stores of slots learn of it when they are written to."""
        checkpoint = self._journaldb.record()
        self._journaltrie.record(checkpoint)
        self._journal_accessed_state.record(checkpoint)
        self._checkpoints.append(checkpoint)
        self._touched.append({})
        return checkpoint

    def discard(self, checkpoint: Any) -> None:
        """Undo everything since the checkpoint, which is forgotten with all newer ones.

        Raises:
            eth_utils.ValidationError: there is no such checkpoint.
        """
        self._journaldb.discard(checkpoint)
        accounts: Any = self._journaltrie
        for address in accounts.discard(checkpoint):
            self._account_cache.pop(address, None)
        self._journal_accessed_state.discard(checkpoint)
        for address, known in self._leave(checkpoint).items():
            self._account_stores[address].discard(known)

    def commit(self, checkpoint: Any) -> None:
        """Forget the checkpoint and all newer ones; what was written stays.

        Raises:
            eth_utils.ValidationError: there is no such checkpoint.
        """
        self._journaldb.commit(checkpoint)
        self._journaltrie.commit(checkpoint)
        self._journal_accessed_state.commit(checkpoint)
        touched = self._leave(checkpoint)
        if not self._touched:
            for address, known in touched.items():
                self._account_stores[address].commit(known)
        elif touched:
            self._touched[-1] = self._merged(self._touched[-1], touched)

    def lock_changes(self) -> None:
        """End a transaction.

        Its writes become the original values for the next one (EIP-2200), and its accesses are forgotten (EIP-2929).
        """
        for address in self._unlocked:
            self._account_stores[address].lock_changes()
        self._unlocked.clear()
        self._reset_access_counters()

    def set_storage(self, address: Any, slot: int, value: int) -> None:
        """As py-evm does; the account's store first records the newest checkpoint.

        Raises:
            eth_utils.ValidationError: the address is not 20 bytes, or a number not in [0, 2**256).
        """
        self._touch(address)
        super().set_storage(address, slot, value)

    def get_code(self, address: Any) -> bytes:
        """The account's code, as a `KnownCode` unless it is empty.

        It comes from the process's memory where it was asked for lately.

        Raises:
            eth.vm.interrupt.MissingBytecode: the database does not hold it.
        """
        code_hash = self.get_code_hash(address)
        if code_hash == EMPTY_SHA3:
            return b""
        return KNOWN_CODES.get(code_hash) or KNOWN_CODES.add(code_hash, self._read_code(code_hash))

    def _read_code(self, code_hash: Any) -> bytes:
        """py-evm copies the set of all keys that the block has read at each reading of a code."""
        try:
            return self._journaldb[code_hash]
        except KeyError:
            raise MissingBytecode(code_hash) from KeyError

    def code_size(self, address: Any) -> int:
        """The code's length in bytes, without reading a code again that was asked for in this process.

        Raises:
            eth.vm.interrupt.MissingBytecode: the database does not hold it.
        """
        code_hash = self.get_code_hash(address)
        if code_hash == EMPTY_SHA3:
            return 0
        size = KNOWN_CODES.size(code_hash)
        return len(self.get_code(address)) if size is None else size

    def touch_account(self, address: Any) -> None:
        """Mark an account that EIP-161 deletes if it is empty.

        py-evm writes any account down at each call; one that is not empty is in the trie or the journal as it is.
        """
        account = self._get_account(address)
        if not (account.nonce or account.balance or account.code_hash != EMPTY_SHA3):
            super().touch_account(address)

    def persist(self) -> Any:
        """Lock the changes of the last transaction, then write all to the database below, as py-evm does."""
        self.lock_changes()
        return super().persist()

    def _wipe_storage(self, address: Any) -> None:
        self._touch(address)
        super()._wipe_storage(address)

    def _touch(self, address: Any) -> None:
        """Before a write: the store records the newest checkpoint, if it has not."""
        self._unlocked.add(address)
        if self._touched and address not in self._touched[-1]:
            checkpoint = self._checkpoints[-1]
            self._get_address_store(address).record(checkpoint)
            self._touched[-1][address] = checkpoint

    def _leave(self, checkpoint: JournalDBCheckpoint) -> dict[Any, JournalDBCheckpoint]:
        """What was touched since the checkpoint, which is forgotten with all newer ones."""
        touched: dict[Any, JournalDBCheckpoint] = {}
        while True:
            touched = self._merged(self._touched.pop(), touched)
            if self._checkpoints.pop() == checkpoint:
                return touched

    def _merged(
        self, older: dict[Any, JournalDBCheckpoint], newer: dict[Any, JournalDBCheckpoint]
    ) -> dict[Any, JournalDBCheckpoint]:
        """Both, the older checkpoint first; a store in both forgets the newer. The smaller goes into the larger, or
        what is touched at the bottom of a deep call would be carried up at each return."""
        if len(older) >= len(newer):
            for address, known in newer.items():
                if older.setdefault(address, known) != known:
                    self._account_stores[address].commit(known)
            return older
        for address, known in older.items():
            if (forgotten := newer.get(address)) is not None:
                self._account_stores[address].commit(forgotten)
            newer[address] = known
        return newer

    def _get_address_store(self, address: Any) -> Any:
        store = self._account_stores.get(address)
        if store is None:
            store = TouchedStorage(self._raw_store_db, self._get_storage_root(address), address)
            self._account_stores[address] = store
        return store

    def _reset_access_counters(self) -> None:
        self._journal_accessed_state = undo_journal(MemoryDB())


class TouchedTransientStorage(TransientStorage):
    """EIP-1153 over the same journal."""

    def __init__(self) -> None:
        super().__init__()
        self._db = undo_journal(MemoryDB())
