"""A client brought to some slots of a simulated beacon chain, and what it says to a header."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import (
    ClientState,
    EthereumClient,
    Header,
    encode_client_state,
    encode_header_message,
)
from hutong.light_clients.interface import MemoryConsensusStates, PredicateFailed, Updated, VerificationError
from tests.light_clients.ethereum.simulated_beacon import SimulatedBeacon, trusting

CLIENT = EthereumClient()
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
VALUE = b"\x5a" * 32


def chain_of(blocks: int = 3, **how: object) -> SimulatedBeacon:
    chain = SimulatedBeacon(**how)
    chain.advance(blocks)
    return chain


class Verifier:
    """Holds the states at `slots` (the chain's first unless given) and judges at the chain's present."""

    def __init__(self, chain: SimulatedBeacon, *slots: int, **changed: object) -> None:
        self.chain = chain
        self.state, self.states = trusting(chain, *(slots or (chain.first_slot,)), **changed)

    @property
    def client(self) -> ClientState:
        from hutong.light_clients.ethereum import decode_client_state

        return decode_client_state(self.state)

    def judge(self, header: Header | bytes, now_ns: int | None = None):
        message = header if isinstance(header, bytes) else encode_header_message(header)
        return CLIENT.verify_header(self.state, self.states, message, self.chain.now_ns if now_ns is None else now_ns)

    def accepted(self, header: Header | bytes, now_ns: int | None = None) -> Updated:
        verdict = self.judge(header, now_ns)
        assert isinstance(verdict, Updated), verdict
        return verdict

    def update(self, header: Header | bytes, now_ns: int | None = None) -> Updated:
        verdict = self.accepted(header, now_ns)
        self.state = verdict.client_state
        self.states = self.states.with_state(verdict.height, verdict.consensus_state)
        return verdict

    def refused(self, predicate: str, header: Header | bytes, now_ns: int | None = None) -> PredicateFailed:
        before = self.state, self.states
        with pytest.raises(PredicateFailed) as caught:
            self.judge(header, now_ns)
        assert caught.value.predicate == predicate, caught.value
        assert (self.state, self.states) == before
        return caught.value

    def error(self, kind: type[VerificationError], header: Header | bytes, now_ns: int | None = None):
        with pytest.raises(kind) as caught:
            self.judge(header, now_ns)
        return caught.value

    def change(self, **changed: object) -> None:
        self.state = encode_client_state(replace(self.client, **changed))


def with_update(header: Header, **changed: object) -> Header:
    """The message with parts of its update exchanged."""
    return replace(header, update=replace(header.update, **changed))


def with_beacon(header, **changed: object):
    """A light client header with fields of its beacon header exchanged."""
    return replace(header, beacon=replace(header.beacon, **changed))


__all__ = ["CLIENT", "KEY", "VALUE", "MemoryConsensusStates", "Verifier", "chain_of", "with_beacon", "with_update"]
