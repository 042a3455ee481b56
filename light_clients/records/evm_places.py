"""What an EVM chain's state holds at some places, by one set of trie nodes under one state root."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.mpt import Account, NodeSet, account_proven, every_node_used, slot_proven
from hutong.light_clients.records.places import WORD_BYTES, AccountField, FieldPlace, SlotPlace

SPEC = "docs/spec/records.md"


@rule(SPEC)
def nodes_ascend(nodes: Sequence[bytes]) -> NodeSet:
    """The nodes of a proof ascend by hash, each once.

    Raises:
        MalformedInput: they do not, or there are too many.
    """
    return NodeSet(nodes)


@rule(SPEC)
def account_has_code(account: Account | None, address: bytes) -> Account:
    """A slot is asked for of a contract: the zero of an account without code would say nothing.

    Raises:
        PredicateFailed: there is no account at `address`, or it has no code.
    """
    if account is None or not account.has_code:
        got = "no account" if account is None else "no code"
        raise PredicateFailed("account_has_code", f"of 0x{address.hex()}", got, "an account with code")
    return account


def field_value(account: Account | None, name: AccountField) -> bytes | None:
    """The 32 bytes of an account's field, numbers big-endian; None where there is no account."""
    if account is None:
        return None
    match name:
        case AccountField.NONCE:
            return account.nonce.to_bytes(WORD_BYTES, "big")
        case AccountField.BALANCE:
            return account.balance_wei.to_bytes(WORD_BYTES, "big")
        case AccountField.CODE_HASH:
            return account.code_hash
        case AccountField.STORAGE_ROOT:
            return account.storage_root


@dataclass(frozen=True, slots=True)
class _Accounts:
    """Each account is walked to once, however many of its places are asked for."""

    judge: Judge
    nodes: NodeSet
    state_root: bytes
    found: dict[bytes, Account | None] = field(default_factory=dict)

    def at(self, address: bytes) -> Account | None:
        if address not in self.found:
            self.found[address] = self.judge(account_proven, self.nodes, self.state_root, address)
        return self.found[address]


def judge_evm_places(
    judge: Judge, state_root: bytes, nodes: Sequence[bytes], places: Sequence[SlotPlace | FieldPlace]
) -> tuple[bytes | None, ...]:
    """The 32 bytes at each place in its order, or None where the state has nothing there.

    Args:
        state_root: 32 bytes that are believed.
        nodes: RLP nodes of all paths, ascending by hash, each once and none that no path needs.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    known = judge(nodes_ascend, nodes)
    accounts = _Accounts(judge, known, state_root)
    values: list[bytes | None] = []
    for place in places:
        account = accounts.at(place.account)
        if isinstance(place, FieldPlace):
            values.append(field_value(account, place.field))
            continue
        contract = judge(account_has_code, account, place.account)
        values.append(judge(slot_proven, known, contract.storage_root, place.slot))
    judge(every_node_used, known)
    return tuple(values)
