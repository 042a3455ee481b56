"""Validators with their operators: who speaks for which consensus key, how one comes in, leaves, and swaps its key."""

from dataclasses import dataclass, replace

from eth_abi.abi import encode

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.governance_abi import possession_digest
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.evm.vm.native import Address, NativeRevert
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.validators import PUBLIC_KEY_BYTES, Validators
from hutong.relay.hub.state import keys

SIGNATURE_BYTES = 64
ROTATION_INTERVAL_S = 24 * 3600
"""A validator swaps its key once a day at most: clients that trust an old set must meet enough of it again."""
_OPERATOR = ["address", "uint64", "uint64[]"]
_MAX_RECORD_BYTES = 4096


class NotAnOperator(Refusal):
    """The caller speaks for no validator of the set."""

    def __init__(self, caller: Address) -> None:
        self.caller = caller
        super().__init__(caller)

    def revert(self) -> NativeRevert:
        """`NotAnOperator(address)` with the caller."""
        return interface.NOT_AN_OPERATOR.revert(self.caller)


@dataclass(frozen=True, slots=True)
class Operator:
    """`rotated_s` is the block time of the last change of key, 0 before the first; `proposals` those that may be open."""

    account: Address
    rotated_s: int = 0
    proposals: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """`abi.encode(address account, uint64 rotated_s, uint64[] proposals)`."""
        return encode(_OPERATOR, [self.account, self.rotated_s, self.proposals])

    @staticmethod
    def decode(raw: bytes) -> "Operator":
        """Inverse of `encode`.

        Raises:
            MalformedInput: the record is not canonical, which is damage.
        """
        account, rotated_s, proposals = decode_canonical(_OPERATOR, raw, "operator", _MAX_RECORD_BYTES)
        return Operator(bytes.fromhex(account[2:]), rotated_s, tuple(proposals))


def write_operator(store: Store, public_key: bytes, operator: Operator) -> None:
    """Write the three records of a validator that enters the set; its power is written elsewhere."""
    store.set(keys.operator_key(public_key), operator.encode())
    store.set(keys.operator_account_key(operator.account), public_key)
    store.set(keys.used_key_key(public_key), operator.account)


class Members:
    """Over the state of a running block, at its time."""

    def __init__(self, store: Store, validators: Validators, chain_id: str, now_s: int) -> None:
        self._store = store
        self._validators = validators
        self._chain_id = chain_id
        self._now_s = now_s

    def powers(self) -> dict[bytes, int]:
        """Power by compressed key, after the changes of this block so far."""
        return self._validators.powers()

    def key_of(self, account: Address) -> bytes:
        """The consensus key that the caller's account speaks for.

        Raises:
            NotAnOperator: it speaks for none.
        """
        key = self._store.get(keys.operator_account_key(account))
        if key is None:
            raise NotAnOperator(account)
        return key

    def operator(self, public_key: bytes) -> Operator:
        """Who speaks for a consensus key.

        Raises:
            MalformedInput: the key has not 33 bytes.
            PredicateFailed: `validator_known`.
        """
        _check_size(public_key)
        raw = self._store.get(keys.operator_key(public_key))
        if raw is None:
            raise PredicateFailed("validator_known", "no such validator", got=public_key)
        return Operator.decode(raw)

    def save(self, public_key: bytes, operator: Operator) -> None:
        """Write the operator's record of a key that has one; the account must be the same."""
        self._store.set(keys.operator_key(public_key), operator.encode())

    def set_power(self, public_key: bytes, power: int) -> None:
        """Give a member another power; 0 removes it, and its operator's votes are worth nothing from here on.

        Raises:
            MalformedInput, PredicateFailed: the key is no member's, or the set would break a rule (`changed_powers`).
        """
        operator = self.operator(public_key)
        self._validators.set_power(public_key, power)
        if power == 0:
            self._store.delete(keys.operator_key(public_key))
            self._store.delete(keys.operator_account_key(operator.account))

    def admit(self, public_key: bytes, power: int, account: Address, proof: bytes) -> None:
        """Bring in a validator with its operator's account.

        `proof` is 64 bytes by the new key over `possession_digest`.

        Raises:
            PredicateFailed: `admitted_power`, `operator_of_one_validator`, `validator_key_never_used`,
                `validator_key_possessed`, and those of `changed_powers`.
            MalformedInput: the key has not 33 bytes.
        """
        if power == 0:
            raise PredicateFailed("admitted_power", "a validator comes in with power", got=power, expected="> 0")
        if account == bytes(20) or self._store.get(keys.operator_account_key(account)) is not None:
            raise PredicateFailed("operator_of_one_validator", "the account is zero or speaks for another", got=account)
        self._check_new_key(public_key, account, proof)
        self._validators.set_power(public_key, power)
        write_operator(self._store, public_key, Operator(account))

    def rotate(self, account: Address, public_key: bytes, proof: bytes) -> bytes:
        """Swap the caller's own consensus key, and return the old one. Nobody else is asked.

        It may be done once in ROTATION_INTERVAL_S.

        Raises:
            NotAnOperator: `account` speaks for no validator.
            PredicateFailed: `rotation_interval`, `validator_key_never_used`, `validator_key_possessed`, and those of
                `replaced_key`.
            MalformedInput: the key has not 33 bytes.
        """
        old = self.key_of(account)
        operator = self.operator(old)
        earliest_s = operator.rotated_s + ROTATION_INTERVAL_S
        if operator.rotated_s and self._now_s < earliest_s:
            raise PredicateFailed(
                "rotation_interval", "the key was swapped too lately", got=self._now_s, expected=f">= {earliest_s}"
            )
        self._check_new_key(public_key, account, proof)
        self._validators.replace_key(old, public_key)
        self._store.delete(keys.operator_key(old))
        write_operator(self._store, public_key, replace(operator, rotated_s=self._now_s))
        return old

    def _check_new_key(self, public_key: bytes, account: Address, proof: bytes) -> None:
        _check_size(public_key)
        if self._store.get(keys.used_key_key(public_key)) is not None:
            raise PredicateFailed("validator_key_never_used", "the key was a validator's before", got=public_key)
        digest = possession_digest(self._chain_id, account, public_key)
        if len(proof) != SIGNATURE_BYTES or not secp256k1.verify_low_s(public_key, digest, proof):
            raise PredicateFailed("validator_key_possessed", "not signed by the key for this operator", got=public_key)


def _check_size(public_key: bytes) -> None:
    """Before it is part of a key of the state, whose length is bounded."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise MalformedInput("validator.public_key", f"{PUBLIC_KEY_BYTES} bytes, compressed", got=len(public_key))
