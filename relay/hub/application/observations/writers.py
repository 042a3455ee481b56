"""Who may open keys of observations, and who has opened which."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.interface.document import Document, HexForm
from hutong.relay.evm.vm.native import Address, NativeRevert
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.named_code import LAST_RESERVED_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.state import keys

MAX_GENESIS_WRITERS = 1_024
MAX_LIMIT = 2**64 - 1
OPEN = b"\x01"


class ObservationsNotOpen(Refusal):
    """The caller is not a named writer, and the hub is not open to all."""

    def __init__(self, caller: Address) -> None:
        self.caller = caller
        super().__init__(caller)

    def revert(self) -> NativeRevert:
        """`ObservationsNotOpen(address)` with the caller."""
        return interface.OBSERVATIONS_NOT_OPEN.revert(self.caller)


class TooManyObservations(Refusal):
    """The writer has as many keys open as it may."""

    def __init__(self, writer: Address, limit: int) -> None:
        self.writer = writer
        self.limit = limit
        super().__init__(writer, limit)

    def revert(self) -> NativeRevert:
        """`TooManyObservations(address,uint64)` with the writer and its limit."""
        return interface.TOO_MANY_OBSERVATIONS.revert(self.writer, self.limit)


@dataclass(frozen=True, slots=True)
class ObservationRules:
    """What genesis says: whether everybody opens keys, and the named writers with how many keys each may have open."""

    is_open: bool
    writers: tuple[tuple[Address, int], ...] = ()


def read_rules(document: Document) -> ObservationRules:
    """The genesis table `observations`.

    Raises:
        MalformedInput: a member is missing, unknown or out of its bounds.
    """
    with document.members() as fields:
        is_open = fields["open"].flag()
        named = fields["writers"]
        entries = named.entries(MAX_GENESIS_WRITERS)
        writers = {account.hex(20, HexForm.ANY_CASE): limit.integer(1, MAX_LIMIT) for account, limit in entries}
    if len(writers) != len(entries):
        raise MalformedInput("observations.writers", "has an address twice")
    for account in writers:
        if int.from_bytes(account, "big") <= LAST_RESERVED_ADDRESS:
            raise named.refused("is a precompile or native module, which writes nothing", got=account)
    return ObservationRules(is_open, tuple(sorted(writers.items())))


def write_rules(rules: ObservationRules) -> dict[str, Any]:
    """Inverse of `read_rules`, as JSON values."""
    return {"open": rules.is_open, "writers": {f"0x{account.hex()}": limit for account, limit in rules.writers}}


class Writers:
    """The records over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def found(self, rules: ObservationRules) -> None:
        """Write what genesis says.

        Raises:
            PredicateFailed: it names a reserved address, which `read_rules` refuses.
        """
        self.set_open(rules.is_open)
        for account, limit in rules.writers:
            self.name(account, limit)

    @property
    def is_open(self) -> bool:
        """Whether everybody opens keys."""
        return self._store.get(keys.OBSERVATIONS_OPEN_KEY) is not None

    def set_open(self, is_open: bool) -> None:
        """Let everybody open keys, or named writers alone."""
        if is_open:
            self._store.set(keys.OBSERVATIONS_OPEN_KEY, OPEN)
        else:
            self._store.delete(keys.OBSERVATIONS_OPEN_KEY)

    def name(self, account: Address, limit: int) -> None:
        """Let an account have up to `limit` keys open; 0 takes its name away. What it has opened stays.

        Raises:
            PredicateFailed: `nameable_address`.
        """
        if int.from_bytes(account, "big") <= LAST_RESERVED_ADDRESS:
            raise PredicateFailed(
                "nameable_address", "precompiles and native modules are not named", got=account, expected="> 0x…ffff"
            )
        if limit:
            self._store.set(keys.observation_writer_key(account), limit.to_bytes(8, "big"))
        else:
            self._store.delete(keys.observation_writer_key(account))

    def limit(self, account: Address) -> int:
        """How many keys a named writer may have open; 0 where it is not named."""
        return _number(self._store.get(keys.observation_writer_key(account)))

    def count(self, account: Address) -> int:
        """How many keys an account has open."""
        return _number(self._store.get(keys.observation_count_key(account)))

    def open(self, key: bytes, caller: Address) -> None:
        """Put a new key on the caller's account.

        Raises:
            ObservationsNotOpen, TooManyObservations: it may not open one.
        """
        count = self.count(caller)
        if not self.is_open:
            limit = self.limit(caller)
            if not limit:
                raise ObservationsNotOpen(caller)
            if count >= limit:
                raise TooManyObservations(caller, limit)
        self._store.set(keys.observation_opened_key(sha256(key)), caller)
        self._set_count(caller, count + 1)

    def close(self, key: bytes, caller: Address) -> None:
        """Take a key off its opener's account: by the opener, or by anybody where the opener could not open it any more.

        Raises:
            PredicateFailed: `observation_exists`, `closed_by_opener`.
        """
        opened_key = keys.observation_opened_key(sha256(key))
        opener = self._store.get(opened_key)
        if opener is None:
            raise PredicateFailed("observation_exists", "nothing is observed under this key", got=key)
        if opener != caller and (self.is_open or self.limit(opener)):
            raise PredicateFailed("closed_by_opener", "the key is another account's", got=caller, expected=opener)
        self._store.delete(opened_key)
        self._set_count(opener, self.count(opener) - 1)

    def _set_count(self, account: Address, count: int) -> None:
        key = keys.observation_count_key(account)
        if count:
            self._store.set(key, count.to_bytes(8, "big"))
        else:
            self._store.delete(key)


def _number(raw: bytes | None) -> int:
    return 0 if raw is None else int.from_bytes(raw, "big")
