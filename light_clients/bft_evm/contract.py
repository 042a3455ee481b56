"""Validators that a contract selects: read from its storage after the parent block, proven by EIP-1186.

Headers of such a chain list nobody. The list that must seal block h is the contract's after block h - 1; the header names
that block by its parent hash, so the parent's header brings the state root. The header's sealers vouch for its parent.
"""

from collections.abc import Iterator

from hutong.light_clients.bft_evm.extra_data import block_hash
from hutong.light_clients.bft_evm.types import ADDRESS_BYTES, Header, ValidatorContract, ValidatorsProof
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.proofs.mpt import verify_account, verify_storage

BESU_CONTRACT = "besu TransactionValidatorProvider"
PROVEN = "validators_proven_in_contract"
_PADDING = bytes(HASH_BYTES - ADDRESS_BYTES)


def element_slots(array_slot: bytes, count: int) -> Iterator[bytes]:
    """Slots of a Solidity `address[]`'s elements: K(slot) and those after it, one address each.

    `array_slot` and each slot yielded are 32 bytes, big-endian; numbering wraps at 2^256.
    """
    first = int.from_bytes(keccak256(array_slot), "big")
    for index in range(count):
        yield ((first + index) % 2**256).to_bytes(HASH_BYTES, "big")


def proof_of(header: Header) -> ValidatorsProof:
    """What shows the contract's list.

    Raises:
        PredicateFailed: the header comes without it.
    """
    if header.validators_proof is None:
        raise PredicateFailed(PROVEN, "the header comes without a proof of its validators")
    return header.validators_proof


@rule("docs/spec/bft-evm-client.md")
def parent_is_linked(header: Header) -> ValidatorsProof:
    """The header names the parent by its hash, and stands right above it. Returns the proof that the parent is in.

    Raises:
        PredicateFailed: no proof, another hash, or another height.
    """
    proof = proof_of(header)
    parent = proof.parent
    got = block_hash(parent.execution, parent.extra)
    if got != header.execution.parent_hash:
        raise PredicateFailed("parent_is_linked", "hash of the parent", got=got, expected=header.execution.parent_hash)
    if parent.execution.number + 1 != header.execution.number:
        raise PredicateFailed(
            "parent_is_linked",
            "height of the parent",
            got=parent.execution.number,
            expected=header.execution.number - 1,
        )
    return proof


@rule(BESU_CONTRACT)
def no_validators_in_header(header: Header) -> None:
    """Nodes refuse a list or a vote in a header where a contract selects.

    Raises:
        PredicateFailed: the extra data hold one of them.
    """
    if header.extra.validators or header.extra.vote is not None:
        raise PredicateFailed("no_validators_in_header", "a contract selects validators, but extra data names some too")


def contract_validators(contract: ValidatorContract, proof: ValidatorsProof) -> tuple[bytes, ...]:
    """The contract's list under the parent's state root, in its order. The work is bounded by the proof's bytes.

    Raises:
        MalformedInput, PredicateFailed: the account or a slot is not proven, or a word is no address.
    """
    account = verify_account(proof.parent.execution.state_root, contract.address, proof.account_proof)
    if account is None or not account.has_code:
        raise PredicateFailed(PROVEN, "there is no contract at the validator contract's address")
    if not proof.slots:
        raise PredicateFailed(PROVEN, "the proof of the list's length is missing")
    length_nodes, *element_nodes = proof.slots
    count = int.from_bytes(verify_storage(account.storage_root, contract.slot, length_nodes) or b"", "big")
    if count != len(element_nodes):
        raise PredicateFailed(PROVEN, "proofs of the list's elements", got=len(element_nodes), expected=count)
    validators = []
    for slot, nodes in zip(element_slots(contract.slot, count), element_nodes, strict=True):
        word = verify_storage(account.storage_root, slot, nodes)
        if word is None or not word.startswith(_PADDING):
            raise PredicateFailed(PROVEN, "an element of the list is no address", got=word or "nothing")
        validators.append(word[len(_PADDING) :])
    return tuple(validators)
