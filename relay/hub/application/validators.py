"""The hub's validators in its state: power by public key, changed by admin action alone (docs/spec/hub-modules.md).

What the state holds after block h signs block h + 2, as CometBFT has it. Until the first change the state holds nothing
and the set is that of genesis; the first change writes it whole.
"""

from collections.abc import Mapping
from typing import Protocol

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.types import MAX_TOTAL_VOTING_POWER, KeyType, PublicKey
from hutong.relay.hub.application.abci import ValidatorUpdate
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.state import keys

MAX_VALIDATORS = 100
PUBLIC_KEY_BYTES = 33

Powers = Mapping[bytes, int]
"""Power by compressed public key; all positive."""


class OrderedRows(Protocol):
    """What reading the set needs of a store."""

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the least key above `key`; None at the end."""


def read_powers(store: OrderedRows, genesis: Powers) -> dict[bytes, int]:
    """The set of a state, in the order of its keys; that of genesis where the state has none."""
    prefix = keys.VALIDATOR_POWER_PREFIX
    found: dict[bytes, int] = {}
    row = store.next(prefix)
    while row is not None and row[0].startswith(prefix):
        found[row[0][len(prefix) :]] = int.from_bytes(row[1], "big")
        row = store.next(row[0])
    return found or dict(sorted(genesis.items()))


def canonical_order(powers: Powers) -> list[tuple[PublicKey, int]]:
    """As CometBFT orders and hashes a set: power descending, then address ascending."""
    members = [(PublicKey(KeyType.SECP256K1, key), power) for key, power in powers.items()]
    return sorted(members, key=lambda member: (-member[1], member[0].address))


def updates_between(before: Powers, after: Powers) -> tuple[ValidatorUpdate, ...]:
    """What FinalizeBlock answers: one entry for each key whose power differs, in the order of keys; power 0 removes."""
    return tuple(
        ValidatorUpdate(PublicKey(KeyType.SECP256K1, key), after.get(key, 0))
        for key in sorted(before.keys() | after.keys())
        if before.get(key, 0) != after.get(key, 0)
    )


def check_overlap(before: Powers, after: Powers) -> None:
    """A client that trusts `before` at level 1/3 believes every commit of `after`.

    So added power plus twice the removed one may not exceed the power before. More than 2/3 of `after` signed. Of that
    at most the added power is not power in `before`, so the signers hold more than 2/3 (P + added - removed) - added of
    the power P before, which is at least P / 3 exactly under this rule.

    Raises:
        PredicateFailed: `validators_overlap_with_last_block`.
    """
    everyone = sorted(before.keys() | after.keys())
    changes = [after.get(key, 0) - before.get(key, 0) for key in everyone]
    added = sum(change for change in changes if change > 0)
    removed = -sum(change for change in changes if change < 0)
    total = sum(before.values())
    if added + 2 * removed > total:
        raise PredicateFailed(
            "validators_overlap_with_last_block",
            f"power added in a block ({added}) plus twice the power removed ({removed}) may not exceed the power before",
            got=added + 2 * removed,
            expected=f"<= {total}",
        )


def changed_powers(current: Powers, before_block: Powers, public_key: bytes, power: int) -> dict[bytes, int]:
    """The set with one change, if every rule allows it; power 0 removes.

    Args:
        current: the set with this block's changes so far.
        before_block: the set as the block found it, which the overlap is judged against.

    Raises:
        MalformedInput: the key has not 33 bytes.
        PredicateFailed: `validator_known`, `validator_key_on_curve`, `validator_set_not_empty`, `validator_count`,
            `total_voting_power`, `validators_overlap_with_last_block`.
    """
    _check_key(public_key, power)
    if power == 0 and public_key not in current:
        raise PredicateFailed("validator_known", "only a validator can be removed", got=public_key)
    changed = {**current, public_key: power}
    if power == 0:
        del changed[public_key]
    _check_set(before_block, changed, public_key)
    return changed


def replaced_key(current: Powers, before_block: Powers, old: bytes, new: bytes) -> dict[bytes, int]:
    """The set with another key for one member, if every rule allows it; `old` must be in `current`.

    Raises:
        MalformedInput: the key has not 33 bytes.
        PredicateFailed: `validator_key_never_used`, and those of `changed_powers`.
        KeyError: `old` is not in `current`.
    """
    _check_key(new, current[old])
    if new in current:
        raise PredicateFailed("validator_key_never_used", "the key is a validator's", got=new)
    changed = {key: power for key, power in current.items() if key != old} | {new: current[old]}
    _check_set(before_block, changed, new)
    return changed


def _check_key(public_key: bytes, power: int) -> None:
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise MalformedInput("validator.public_key", f"{PUBLIC_KEY_BYTES} bytes, compressed", got=len(public_key))
    # Whatever is in the set can leave it: genesis looks at a key's form only.
    if power > 0 and secp256k1.decompress(public_key) is None:
        raise PredicateFailed("validator_key_on_curve", "no point of secp256k1", got=public_key)


def _check_set(before_block: Powers, changed: Powers, public_key: bytes) -> None:
    if not changed:
        raise PredicateFailed("validator_set_not_empty", "the last validator cannot be removed", got=public_key)
    if len(changed) > MAX_VALIDATORS:
        raise PredicateFailed("validator_count", "validators", got=len(changed), expected=f"<= {MAX_VALIDATORS}")
    total = sum(changed.values())
    if total > MAX_TOTAL_VOTING_POWER:
        raise PredicateFailed("total_voting_power", "total power", got=total, expected=f"<= {MAX_TOTAL_VOTING_POWER}")
    check_overlap(before_block, changed)


class Validators:
    """The set over the state of a running block; `before_block` reads the state as the block found it."""

    def __init__(self, store: Store, before_block: OrderedRows, genesis: Powers) -> None:
        self._store = store
        self._before_block = before_block
        self._genesis = genesis

    def powers(self) -> dict[bytes, int]:
        """Power by compressed key, after the changes of this block so far; a new value each time."""
        return read_powers(self._store, self._genesis)

    def set_power(self, public_key: bytes, power: int) -> None:
        """Several changes in a block merge, the last of a key counts; each is judged against the set before the block.

        Raises:
            MalformedInput, PredicateFailed: as `changed_powers`; nothing was written.
        """
        current = self.powers()
        self._write(current, changed_powers(current, self._powers_before(), public_key, power))

    def replace_key(self, old: bytes, new: bytes) -> None:
        """Another key for the same validator and power.

        Raises:
            MalformedInput, PredicateFailed: as `replaced_key`; nothing was written.
        """
        current = self.powers()
        self._write(current, replaced_key(current, self._powers_before(), old, new))

    def _powers_before(self) -> dict[bytes, int]:
        return read_powers(self._before_block, self._genesis)

    def _write(self, current: Powers, changed: Powers) -> None:
        written = current if self._is_written() else {}
        for key in sorted(written.keys() | changed.keys()):
            if key not in changed:
                self._store.delete(keys.validator_power_key(key))
            elif changed[key] != written.get(key):
                self._store.set(keys.validator_power_key(key), changed[key].to_bytes(8, "big"))

    def _is_written(self) -> bool:
        row = self._store.next(keys.VALIDATOR_POWER_PREFIX)
        return row is not None and row[0].startswith(keys.VALIDATOR_POWER_PREFIX)
