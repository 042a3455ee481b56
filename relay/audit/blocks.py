"""What the audit asks of each kind of chain: parse a header, and say by which rules it is believed."""

from dataclasses import dataclass
from typing import Any, Protocol

from hutong.light_clients.interface import Height, Judge
from hutong.relay.archive.bundle import HeaderEntry

SPEC = "docs/spec/bundle.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A parsed header. `is_bare`: it carries no signatures, so only its hash can make it believed."""

    height: int
    time_ns: int
    hash: bytes
    parent_hash: bytes
    is_bare: bool
    entry: HeaderEntry
    value: Any


@dataclass(frozen=True, slots=True)
class ProvenState:
    """The states of a light client at a believed header, for its membership proofs."""

    client_state: bytes
    consensus_state: bytes
    time_ns: int


class HeaderRules(Protocol):
    """The rules of one kind of chain, with the parameters of one checkpoint."""

    @property
    def reading(self) -> str:
        """By which rules `parse` reads: the same bytes may be another block under others."""

    def height_of(self, number: int) -> Height:
        """The IBC height of a block: the chain's revision, and `number`."""

    def parse(self, entry: HeaderEntry) -> Block:
        """A header of the bundle as a block. Nothing makes it believed yet.

        Raises:
            VerificationError: it cannot be read, or has parts that nobody would read.
        """

    def parse_checkpoint_header(self, header: bytes) -> Block:
        """The header that a checkpoint carries, as a block.

        Raises:
            VerificationError: it cannot be read.
        """

    def judge_sets(self, judge: Judge, blocks: list[Block]) -> None:
        """The validator sets that stand with `blocks` are canonical, sound, and named by one of them."""

    def judge_identity(self, judge: Judge, block: Block) -> None:
        """The header at the checkpoint is of the checkpoint's chain."""

    def judge_seals(self, judge: Judge, block: Block) -> None:
        """The header's own validators signed it."""

    def judge_forward(self, judge: Judge, block: Block, trusted: Block, now_ns: int) -> None:
        """The header is believed because of a lower one that is.

        Args:
            trusted: a believed block below `block`.
            now_ns: time of judgement, nanoseconds of Unix time; the trusting period is counted to it.
        """

    def judge_state(self, judge: Judge, block: Block) -> ProvenState:
        """Proofs may be judged under the header, which is believed already.

        Returns:
            The states of a light client on which they stand.
        """
