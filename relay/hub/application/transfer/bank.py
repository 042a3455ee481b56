"""Who holds what of each denomination on the hub: accounts, the escrow of each client, and what is on its way home.

Everything is a move from one holder to another; only minting and burning change the supply. So the supply of a
denomination is always the sum over its holders (tests/relay/hub/application/transfer/test_transfer_bank.py).
"""

from dataclasses import dataclass

from hutong.light_clients.ibc.denom import Denom
from hutong.relay.evm.vm.native import Address, NativeRevert
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.packets.packets import Emit
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.state import keys

MAX_SUPPLY = 2**256 - 1
_NOBODY: Address = bytes(20)


@dataclass(frozen=True, slots=True)
class Account:
    """Tokens of a hub account."""

    address: Address

    def key(self, denom: Denom) -> bytes:
        """The state's key of what the account holds of `denom`."""
        return keys.transfer_balance_key(denom.digest, self.address)


@dataclass(frozen=True, slots=True)
class Escrow:
    """Tokens that stand for vouchers on the chain behind a client: what that client may bring home, and no more."""

    client_id: str

    def key(self, denom: Denom) -> bytes:
        """The state's key of what the client's escrow holds of `denom`."""
        return keys.transfer_escrow_key(self.client_id, denom.digest)


@dataclass(frozen=True, slots=True)
class Homeward:
    """Vouchers sent to the chain where the token is at home, until it answers: burnt then, or given back.

    Kept apart from every escrow, so that no packet can take them and undoing never mints.
    """

    def key(self, denom: Denom) -> bytes:
        """The state's key of what is on its way home of `denom`."""
        return keys.transfer_homeward_key(denom.digest)


@dataclass(frozen=True, slots=True)
class Supply:
    """As a source: mint. As a target: burn."""


Holder = Account | Escrow | Homeward | Supply


class InsufficientTokens(Refusal):
    """The holder has less than shall be taken."""

    def __init__(self, denom: Denom, held: int, needed: int) -> None:
        self.denom = denom
        self.held = held
        self.needed = needed
        super().__init__(denom, held, needed)

    def revert(self) -> NativeRevert:
        """`InsufficientTokens(string,uint256,uint256)` with the denomination, what is held and what is needed."""
        return interface.INSUFFICIENT_TOKENS.revert(self.denom.path, self.held, self.needed)

    def __str__(self) -> str:
        return f"{self.held} of {self.denom} are there, {self.needed} are needed"


class SupplyOverflow(Exception):
    """The supply would not fit 256 bits."""

    def __init__(self, denom: Denom, supply: int, minted: int) -> None:
        self.denom = denom
        self.supply = supply
        self.minted = minted
        super().__init__(denom, supply, minted)

    def __str__(self) -> str:
        return f"the supply of {self.denom} is {self.supply}, {self.minted} more exceed 256 bits"


class Bank:
    """All holdings over one store."""

    def __init__(self, store: Store, emit: Emit) -> None:
        self._store = store
        self._emit = emit

    def held(self, denom: Denom, holder: Account | Escrow | Homeward) -> int:
        """What the holder has of `denom`, in its smallest unit."""
        return self._amount(holder.key(denom))

    def supply(self, denom: Denom) -> int:
        """All that the hub has minted of a denomination and not burnt, in its smallest unit."""
        return self._amount(keys.transfer_supply_key(denom.digest))

    def denom(self, denom_hash: bytes) -> Denom | None:
        """The denomination with this 32-byte hash, if the hub has ever minted any of it."""
        raw = self._store.get(keys.transfer_denom_key(denom_hash))
        return None if raw is None else Denom.parse(raw.decode())

    def check(self, denom: Denom, source: Holder, amount: int) -> None:
        """Let pass what `move` from this source would do.

        Raises:
            InsufficientTokens: the source holds less than `amount`.
            SupplyOverflow: minting `amount` would pass 256 bits.
        """
        if isinstance(source, Supply):
            supply = self.supply(denom)
            if supply + amount > MAX_SUPPLY:
                raise SupplyOverflow(denom, supply, amount)
        elif (held := self.held(denom, source)) < amount:
            raise InsufficientTokens(denom, held, amount)

    def move(self, denom: Denom, source: Holder, target: Holder, amount: int) -> None:
        """Take `amount` from one holder, give it to another, and log it. `Supply` as source mints, as target burns.

        The target cannot overflow: no holder has more than the supply, which is bounded when it grows.

        Raises:
            InsufficientTokens, SupplyOverflow: as `check`, before any write.
        """
        self.check(denom, source, amount)
        if isinstance(source, Supply):
            self._remember(denom)
            self._save(keys.transfer_supply_key(denom.digest), self.supply(denom) + amount)
        else:
            self._save(source.key(denom), self.held(denom, source) - amount)
        if isinstance(target, Supply):
            self._save(keys.transfer_supply_key(denom.digest), self.supply(denom) - amount)
        else:
            self._save(target.key(denom), self.held(denom, target) + amount)
        self._emit(interface.TOKENS_MOVED_EVENT, (denom.digest, _shown(source), _shown(target)), (amount, denom.path))

    def _remember(self, denom: Denom) -> None:
        key = keys.transfer_denom_key(denom.digest)
        if self._store.get(key) is None:
            self._store.set(key, denom.path.encode())

    def _amount(self, key: bytes) -> int:
        raw = self._store.get(key)
        return 0 if raw is None else int.from_bytes(raw, "big")

    def _save(self, key: bytes, amount: int) -> None:
        if amount:
            self._store.set(key, amount.to_bytes(32, "big"))
        else:
            self._store.delete(key)


def _shown(holder: Holder) -> Address:
    """In events, as ERC-20 has it: all but accounts are the zero address."""
    return holder.address if isinstance(holder, Account) else _NOBODY
