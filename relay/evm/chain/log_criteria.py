"""Which logs are asked for, as a value."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from hutong.relay.evm.vm.native import Address

BlockTag: TypeAlias = Literal["latest", "earliest", "pending", "safe", "finalized"]


@dataclass(frozen=True, slots=True)
class BlockHash:
    hash: bytes


BlockSelector: TypeAlias = int | BlockTag | BlockHash
"""A number, a tag, or (EIP-1898) a hash."""


@dataclass(frozen=True, slots=True)
class LogCriteria:
    """Empty `addresses`: any. `topics[i]` None: any, else one of the choices. `block_hash` excludes the range."""

    from_block: BlockSelector | None
    to_block: BlockSelector | None
    block_hash: bytes | None
    addresses: frozenset[Address]
    topics: tuple[frozenset[bytes] | None, ...]
