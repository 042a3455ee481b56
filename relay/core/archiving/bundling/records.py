"""Record bundles from a chain's nodes, from a checkpoint on (docs/spec/records.md). What comes out is to be judged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.evm.chain import EvmChain
from hutong.adapters.evm.places import MAX_PLACES
from hutong.adapters.hub.chain import HubChain
from hutong.adapters.interface import ChainAdapter, ClientParameters, HeightUnavailable
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import Height, UnsupportedOperation
from hutong.light_clients.records import FieldPlace, SlotPlace, StorePlace
from hutong.light_clients.tendermint.types import revision_of
from hutong.relay.archive.bundle import ChainHeaders, ChainKind
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.checkpoint_client import client_state_of
from hutong.relay.archive.record_bundle import (
    RecordBundle,
    RecordKey,
    Statement,
    What,
    check_record_bundle,
    in_order,
    what_order,
)
from hutong.relay.archive.record_headers import as_records_carry_them
from hutong.relay.core.archiving.bundling.headers import HeaderCollector
from hutong.relay.core.archiving.bundling.known import seal_rules_of

ANY_PERIOD = ClientParameters(86_400, 10, 2 * 86_400)
"""Of a client that is never made: a hub's headers are asked for by its trust level alone."""


class RecordExporter:
    """Of one chain; the headers of earlier bundles are kept."""

    def __init__(
        self, chain: ChainAdapter, kind: ChainKind, client_state: bytes, checkpoint: Checkpoint | None = None
    ) -> None:
        """`client_state` is of a client that follows the chain. Without a checkpoint the one header is in each bundle by
        itself, for readers whose checkpoint's validators signed it.

        Raises MalformedInput where `client_state` is not of that kind.
        """
        self._chain = chain
        self._kind = kind
        self._checkpoint = checkpoint
        self._client_state = client_state
        self._rules = seal_rules_of(kind, client_state)
        self._headers = HeaderCollector(chain, kind, checkpoint, self._rules)

    @classmethod
    def from_checkpoint(cls, chain: ChainAdapter, checkpoint: Checkpoint) -> Self:
        """Bundles that are judged from that checkpoint.

        Raises:
            UnsupportedOperation: an attested chain's checkpoint that names no client of it.
            MalformedInput: the checkpoint makes no client.
        """
        return cls(chain, checkpoint.kind, client_state_of(checkpoint), checkpoint)

    @classmethod
    async def of_hub(cls, hub: HubChain) -> Self:
        """Bundles of a hub for readers with any checkpoint whose validators are those of today.

        Raises:
            AdapterError: the hub does not answer.
        """
        states = await hub.initial_states(ChainKind.TENDERMINT.value, ANY_PERIOD)
        return cls(hub, ChainKind.TENDERMINT, states.client_state)

    async def export(self, whats: Sequence[What], number: int | None = None) -> RecordBundle:
        """What the chain holds there under the header of height `number`; None: the newest.

        Args:
            whats: places of the checkpoint's kind of chain, in any order.

        Raises:
            AdapterError: the chain does not answer. HeightUnavailable among them: it has no such header yet, or keeps
                the state no longer, or the checkpoint does not reach it.
            PredicateFailed: a slot is asked for of an account without code.
            MalformedInput: a place is not of this kind of chain, or what a node gave cannot be read.
            UnsupportedOperation: the chain's stores cannot be asked for.
        """
        head = (await self._chain.head()).height
        at = head if number is None else number
        if at > head:
            raise HeightUnavailable(self._chain.name, at, f"is not final yet, {head} is")
        kind = self._kind
        height = Height(revision_of(self._chain.chain_id) if kind is ChainKind.TENDERMINT else 0, at)
        collected = await self._headers.collect([height], self._client_state)
        headers = as_records_carry_them(collected, self._rules)
        wanted = sorted(set(whats), key=what_order)
        bundle = await (
            self._stored(headers, height, wanted)
            if kind is ChainKind.TENDERMINT
            else self._placed(headers, height, wanted)
        )
        check_record_bundle(bundle)
        return bundle

    async def _stored(self, headers: ChainHeaders, height: Height, whats: list[What]) -> RecordBundle:
        statements = [await self._store_statement(what, height) for what in whats]
        return RecordBundle(headers, height, in_order(statements))

    async def _store_statement(self, what: What, height: Height) -> Statement:
        prefix = self._chain.merkle_prefix
        if isinstance(what, StorePlace) and isinstance(self._chain, CosmosChain):
            read = await self._chain.read_places([what], height)
            return Statement(what, read.values[0], read.nodes[0])
        if isinstance(what, RecordKey) and len(prefix) == 1:
            proven = await self._chain.prove(merkle_path(prefix, what.key), height)
            return Statement(what, proven.value, proven.proof)
        raise UnsupportedOperation(f"keys of that form of chain {self._chain.name}, which has other stores")

    async def _placed(self, headers: ChainHeaders, height: Height, whats: list[What]) -> RecordBundle:
        places = [what for what in whats if isinstance(what, SlotPlace | FieldPlace)]
        if len(places) != len(whats) or not isinstance(self._chain, EvmChain):
            raise UnsupportedOperation(f"store keys of chain {self._chain.name}, which has accounts and slots")
        if self._kind is ChainKind.ATTESTATION:
            headers = await self._with_root(self._chain, headers, height)
        ascending = sorted(places, key=lambda place: (place.kind.family, place.tail))
        statements: list[Statement] = []
        nodes: dict[bytes, bytes] = {}
        for first in range(0, len(ascending), MAX_PLACES):
            part = ascending[first : first + MAX_PLACES]
            read = await self._chain.read_places(part, height)
            statements += [Statement(place, value, None) for place, value in zip(part, read.values, strict=True)]
            nodes |= {keccak256(node): node for node in read.nodes}
        return RecordBundle(headers, height, in_order(statements), tuple(nodes[digest] for digest in sorted(nodes)))

    async def _with_root(self, chain: EvmChain, headers: ChainHeaders, height: Height) -> ChainHeaders:
        """An attested chain's header says the time; beside it stands what attests the state root."""
        root = await chain.show_state_root(self._kind.client_type, self._client_state, None, height)
        return replace(headers, headers=tuple(replace(entry, commit=root) for entry in headers.headers))
