"""The storage of one contract: its variables, and the types that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.relay.storage_layout.types import StorageType, Variable


@dataclass(frozen=True, slots=True)
class StorageLayout:
    """What `layout_document` has checked: every type that is named is there, and no two variables share a byte."""

    contract: str
    """As the compiler names it, such as `src/Token.sol:Token`; empty where the document does not say it."""
    variables: tuple[Variable, ...]
    """In the order of their places."""
    types: Mapping[str, StorageType]
    transient: frozenset[str] = frozenset()
    """Names of transient variables, as far as the document says them: they have no slot that outlives a transaction."""
