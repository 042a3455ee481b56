"""Who may run code: on a chain that closes its machine, named contracts and native modules alone run, named deployers
create.

The rule stands at the door of a transaction, where it is refused before it costs anybody anything, and at every inner
call and creation, which reverts without running. Value goes to accounts without code freely.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from eth.exceptions import Revert

from hutong.relay.evm.error_string import error_string
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.native import Address, Journaled, NativeModules


class CodePolicy(Protocol):
    """What a chain's state says. `stores` are those attached to the running execution."""

    def is_open(self, stores: tuple[Journaled, ...]) -> bool:
        """Whether everybody may create and call; then the other questions are not asked."""

    def is_deployer(self, stores: tuple[Journaled, ...], account: Address) -> bool:
        """Whether the account that signed the transaction may create contracts, itself or through factories."""

    def is_contract(self, stores: tuple[Journaled, ...], address: Address) -> bool:
        """Whether the code at `address` is named, at this point of the execution."""

    def name_created(self, stores: tuple[Journaled, ...], deployer: Address, contract: Address) -> None:
        """A deployer's transaction has created this contract, unless the frame around it is reverted.

        Called after the creation, before anybody can call it. `deployer` is the transaction's origin.
        """


@dataclass(frozen=True, slots=True)
class Start:
    """What a transaction or call begins with, and what is at its target. `to` is None for a creation."""

    sender: Address
    to: Address | None
    data: bytes
    is_precompile: bool
    has_code: bool


def check_target(policy: CodePolicy, stores: tuple[Journaled, ...], native: NativeModules, start: Start) -> None:
    """Whether a transaction or call may begin so, before anything runs.

    Native modules may always be called, and value may go to accounts without code.

    Raises:
        InvalidTransaction: NOT_A_DEPLOYER for a creation, CODE_NOT_NAMED for code, a precompile, or data to an account
            without code.
    """
    to = start.to
    if to in native or policy.is_open(stores):
        return
    if to is None:
        if not policy.is_deployer(stores, start.sender):
            raise InvalidTransaction(InvalidReason.NOT_A_DEPLOYER, "", start.sender)
    elif start.is_precompile:
        raise InvalidTransaction(InvalidReason.CODE_NOT_NAMED, "precompiles are for contracts", to)
    elif start.has_code:
        if not policy.is_contract(stores, to):
            raise InvalidTransaction(InvalidReason.CODE_NOT_NAMED, "", to)
    elif start.data:
        raise InvalidTransaction(InvalidReason.CODE_NOT_NAMED, "an account without code takes value alone", to)


class NamedCodeFrames:
    """Mixed into a fork's computation, before the frames that are paid for."""

    code_policy: CodePolicy

    @classmethod
    def apply_create_message(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        """What is created is named; it is reverted with the frames around it. A creation without code names nothing."""
        computation = super().apply_create_message(  # type: ignore[misc]
            state, message, transaction_context, parent_computation=parent_computation
        )
        if computation.is_success and computation.output and not cls.code_policy.is_open(state.journaled):
            cls.code_policy.name_created(state.journaled, transaction_context.origin, message.storage_address)
        return computation

    def generate_child_computation(self, child_msg: Any) -> Any:
        """Run an inner call or creation, or revert it without running where the policy forbids it.

        The refusal is the child's: its caller gets an `Error(string)` and goes on with the gas it kept.
        """
        refusal = self._refusal(child_msg)
        if refusal is None:
            return super().generate_child_computation(child_msg)  # type: ignore[misc]
        child: Any = type(self)(self.state, child_msg, self.transaction_context)  # type: ignore[attr-defined, call-arg]
        child.output = error_string(refusal)
        child.error = Revert(child.output)
        return child

    def _refusal(self, child_msg: Any) -> str | None:
        stores = self.state.journaled  # type: ignore[attr-defined]
        if self.code_policy.is_open(stores):
            return None
        if child_msg.is_create:
            origin = self.transaction_context.origin  # type: ignore[attr-defined]
            if self.code_policy.is_deployer(stores, origin):
                return None
            return f"0x{origin.hex()} may not create contracts"
        target: Address = child_msg.code_address
        if not child_msg.code or target in self.precompiles:  # type: ignore[attr-defined]
            return None
        return None if self.code_policy.is_contract(stores, target) else f"the code of 0x{target.hex()} is not named"
