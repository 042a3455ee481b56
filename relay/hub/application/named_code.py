"""Who may run code on this hub, as its state says: rules version 3 (docs/spec/hub-code.md)."""

from dataclasses import dataclass

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.evm.vm.native import Address, Journaled
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.frame import Frame
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.state import StateView, keys

MAX_GENESIS_NAMES = 1_024
LAST_RESERVED_ADDRESS = 0xFFFF
"""Precompiles and native modules, present and future, have addresses up to here."""
BY_DECISION: Address = bytes(20)
"""Stands where a contract was named by genesis, admins or validators, and not by its creation."""
OPEN, CLOSED = b"\x01", b"\x00"


@dataclass(frozen=True, slots=True)
class CodeRules:
    """What genesis says: whether everybody may create and call, and whom and what it names where not."""

    is_open: bool
    deployers: tuple[Address, ...] = ()
    contracts: tuple[Address, ...] = ()


def write_code_rules(store: Store, rules: CodeRules) -> None:
    """Write what genesis says, at genesis or at the first block of the rules version.

    Raises:
        PredicateFailed: it names a reserved address, which `decode_genesis` refuses.
    """
    store.set(keys.CODE_OPEN_KEY, OPEN if rules.is_open else CLOSED)
    for account in rules.deployers:
        NamedCode(store).name_deployer(account, named=True)
    for contract in rules.contracts:
        NamedCode(store).name_contract(contract, named=True)


def take_up_code_rules(view: StateView, rules_version: int, rules: CodeRules) -> None:
    """Write the defaults of a hub that began under an earlier version, in its first block under this one; once."""
    if rules_version >= rules_versions.BOUNDED_EXECUTION and view.get(keys.CODE_OPEN_KEY) is None:
        write_code_rules(view, rules)


def runs_any_code(view: StateView, rules_version: int) -> bool:
    """Whether everybody may run code in blocks and calls over this state.

    What a block decides holds from the next one on.
    """
    return rules_version < rules_versions.BOUNDED_EXECUTION or view.get(keys.CODE_OPEN_KEY) == OPEN


class NamedCode:
    """The records over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set_open(self, is_open: bool) -> None:
        """Let everybody run code from the next block on, or those that are named alone."""
        self._store.set(keys.CODE_OPEN_KEY, OPEN if is_open else CLOSED)

    def name_deployer(self, account: Address, *, named: bool) -> None:
        """Let an account create contracts, or not any more; contracts that it created keep their names.

        Raises:
            PredicateFailed: `nameable_address`.
        """
        _check_nameable(account)
        self._write(keys.deployer_key(account), b"\x01" if named else None)

    def name_contract(self, contract: Address, *, named: bool) -> None:
        """Let a contract be called, or not any more; whether there is code at the address is not checked.

        Raises:
            PredicateFailed: `nameable_address`.
        """
        _check_nameable(contract)
        self._write(keys.named_contract_key(contract), BY_DECISION if named else None)

    def _write(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self._store.delete(key)
        else:
            self._store.set(key, value)


def _check_nameable(address: Address) -> None:
    if int.from_bytes(address, "big") <= LAST_RESERVED_ADDRESS:
        raise PredicateFailed(
            "nameable_address", "precompiles and native modules are not named", got=address, expected="> 0x…ffff"
        )


class HubCodePolicy:
    """Read from the frame that is attached to an execution."""

    def is_open(self, stores: tuple[Journaled, ...]) -> bool:
        """Whether everybody may create and call; true without a store, which is how genesis is written."""
        # Genesis is written without a frame, by nobody's transaction.
        return all(isinstance(store, Frame) and store.runs_any_code for store in stores)

    def is_deployer(self, stores: tuple[Journaled, ...], account: Address) -> bool:
        """Whether the account may create contracts, at this point of the execution."""
        return _view(stores).get(keys.deployer_key(account)) is not None

    def is_contract(self, stores: tuple[Journaled, ...], address: Address) -> bool:
        """Whether the contract may be called, at this point of the execution."""
        return _view(stores).get(keys.named_contract_key(address)) is not None

    def name_created(self, stores: tuple[Journaled, ...], deployer: Address, contract: Address) -> None:
        """Name a contract that a deployer's transaction creates; it is undone with the frame that creates it."""
        _view(stores).set(keys.named_contract_key(contract), deployer)


def _view(stores: tuple[Journaled, ...]) -> StateView:
    (frame,) = stores
    if not isinstance(frame, Frame):
        raise TypeError("the hub executes over a hub frame only")
    return frame.view
