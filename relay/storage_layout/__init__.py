"""State variables of Solidity contracts by name: which slot holds one, and what the words in its slots say.

Made of solc's own `storageLayout` output, without I/O: whoever reads a chain or a proof brings the words. The rules are
those of "Layout of State Variables in Storage" in Solidity's documentation.
"""

from hutong.relay.storage_layout.compiler_output import read_layout
from hutong.relay.storage_layout.errors import ImpossibleWord, UnusablePath, WordsMissing
from hutong.relay.storage_layout.layout import StorageLayout
from hutong.relay.storage_layout.slots import Place, locate
from hutong.relay.storage_layout.values import Value, decode

__all__ = [
    "ImpossibleWord",
    "Place",
    "StorageLayout",
    "UnusablePath",
    "Value",
    "WordsMissing",
    "decode",
    "locate",
    "read_layout",
]
