"""Slots and account fields of any contract (EIP-1186), under the state root of a final block: one request an account."""

from collections.abc import Iterable, Sequence

from hutong.adapters.evm.proofs import proof_nodes
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.interface import NotSupported, PlaceValues
from hutong.adapters.rpc import Fields, each_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface import VERIFY, PredicateFailed, VerificationError
from hutong.light_clients.proofs.mpt import verify_account
from hutong.light_clients.records import FieldPlace, Place, SlotPlace, StorePlace, judge_evm_places

MAX_PLACES = 64
EMPTY_TRIE_NODE = b"\x80"
"""What some nodes show of a contract whose storage is empty: no path needs it."""

EvmPlace = SlotPlace | FieldPlace


async def read_evm_places(
    execution: ExecutionRpc, places: Sequence[Place], number: int, state_root: bytes
) -> PlaceValues:
    """What the state of block `number` holds at 1 to MAX_PLACES places, verified under its root.

    Args:
        state_root: 32 bytes, of that block.

    Raises:
        NotSupported: store keys, which no EVM chain has.
        PredicateFailed: `account_has_code`: a slot of an account without code.
        HeightUnavailable, EndpointUnavailable: no endpoint keeps that state, or gave a proof that verifies.
    """
    asked: list[EvmPlace] = []
    for place in places:
        if isinstance(place, StorePlace):
            raise NotSupported("store keys of an EVM chain: it has slots and accounts")
        asked.append(place)
    accounts = list(dict.fromkeys(place.account for place in asked))

    async def ask(account: bytes) -> tuple[bytes, ...]:
        return await _account_nodes(execution, [one for one in asked if one.account == account], number, state_root)

    found = await each_of(ask, accounts)
    nodes = _ascending(node for part in found for node in part)
    return PlaceValues(judge_evm_places(VERIFY, state_root, nodes, asked), nodes)


async def _account_nodes(
    execution: ExecutionRpc, places: Sequence[EvmPlace], number: int, state_root: bytes
) -> tuple[bytes, ...]:
    account = places[0].account
    slots = [place.slot for place in places if isinstance(place, SlotPlace)]

    def decode(fields: Fields) -> tuple[bytes, ...] | None:
        """None where it is proven that slots are asked of an account without code: no endpoint's fault."""
        leading = proof_nodes(fields.at("accountProof"))
        entries = list(fields.at("storageProof").items(len(slots)))
        nodes = _ascending([*leading, *(node for entry in entries for node in proof_nodes(entry.at("proof")))])
        try:
            found = verify_account(state_root, account, leading)
            if slots and (found is None or not found.has_code):
                return None
            judge_evm_places(VERIFY, state_root, nodes, places)
        except VerificationError as error:
            raise fields.at("accountProof").bad(str(error)) from error
        return nodes

    params = [hex_data(account), [hex_data(slot) for slot in slots], hex(number)]
    nodes = await execution.at_height(number, "eth_getProof", params, decode)
    if nodes is None:
        raise PredicateFailed("account_has_code", f"of 0x{account.hex()}", "no code", "an account with code")
    return nodes


def _ascending(nodes: Iterable[bytes]) -> tuple[bytes, ...]:
    by_hash = {keccak256(node): node for node in nodes if node != EMPTY_TRIE_NODE}
    return tuple(by_hash[digest] for digest in sorted(by_hash))
