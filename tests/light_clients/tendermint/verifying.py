"""A client that trusts one block of a simulated chain, with values in place of bytes."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import MemoryConsensusStates, PredicateFailed, Updated
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.types import CommitSig, Misbehaviour, TendermintHeader

CLIENT = TendermintClient()


class Verifier:
    def __init__(self, chain, *trusted: int, **client_state) -> None:
        self.chain = chain
        self.state = encode_client_state(chain.client_state(max(trusted), **client_state))
        self.states = MemoryConsensusStates(
            {chain.height(number): encode_consensus_state(chain.consensus_state(number)) for number in trusted}
        )

    @property
    def now_ns(self) -> int:
        return self.chain.latest.header.time_ns

    def verify(self, update: TendermintHeader, now_ns: int | None = None):
        return CLIENT.verify_header(
            self.state, self.states, encode_tendermint_header(update), self.now_ns if now_ns is None else now_ns
        )

    def accepts(self, update: TendermintHeader, now_ns: int | None = None) -> Updated:
        verdict = self.verify(update, now_ns)
        assert isinstance(verdict, Updated), verdict
        return verdict

    def refuses(self, predicate: str, update: TendermintHeader, now_ns: int | None = None) -> PredicateFailed:
        with pytest.raises(PredicateFailed) as caught:
            self.verify(update, now_ns)
        assert caught.value.predicate == predicate, caught.value
        return caught.value

    def misbehaviour(self, evidence: Misbehaviour, now_ns: int | None = None):
        return CLIENT.check_misbehaviour(
            self.state, self.states, encode_misbehaviour(evidence), self.now_ns if now_ns is None else now_ns
        )


def with_commit(update: TendermintHeader, **changes) -> TendermintHeader:
    signed_header = update.signed_header
    return replace(update, signed_header=replace(signed_header, commit=replace(signed_header.commit, **changes)))


def with_header(update: TendermintHeader, **changes) -> TendermintHeader:
    """Header fields changed under the old commit."""
    signed_header = update.signed_header
    return replace(update, signed_header=replace(signed_header, header=replace(signed_header.header, **changes)))


def with_entries(update: TendermintHeader, entries: dict[int, CommitSig]) -> TendermintHeader:
    signatures = list(update.signed_header.commit.signatures)
    for index, entry in entries.items():
        signatures[index] = entry
    return with_commit(update, signatures=tuple(signatures))


def with_entry(update: TendermintHeader, index: int, **changes) -> TendermintHeader:
    return with_entries(update, {index: replace(update.signed_header.commit.signatures[index], **changes)})


def flipped(data: bytes, bit: int = 0) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
