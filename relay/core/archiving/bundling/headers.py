"""The headers of one chain for bundles: from evidence where it has them, else from the chain."""

from collections.abc import Iterable
from dataclasses import replace

from hutong.adapters.interface import HeightUnavailable, Source
from hutong.light_clients.bft_evm import SealRules
from hutong.light_clients.interface import Height, UnsupportedOperation, VerificationError
from hutong.relay.archive.bundle import MAX_HEADERS, ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import Checkpoint, EthereumTrust, FollowedTrust
from hutong.relay.core.archiving.bundling.known import KnownHeader, SyncCommitteeWay, known_header, next_signers_of

MAX_REMEMBERED = 4_096
MAX_REMEMBERED_WAYS = 64
MOST_BLOCKS_AT_ONCE = 1_024
"""Of a Clique chain: every header of them is in a message, and one call reads them."""


class HeaderCollector:
    """Knows the headers that it has seen. A bundle gets signed ones, or bare ones below a checkpoint."""

    def __init__(
        self, adapter: Source, kind: ChainKind, checkpoint: Checkpoint | None, rules: SealRules | None = None
    ) -> None:
        """`rules` are those of a `bft-evm` client of the chain."""
        self._adapter = adapter
        self._kind = kind
        self._rules = SealRules() if rules is None else rules
        self._checkpoint = checkpoint
        self._known: dict[int, KnownHeader] = {}
        self._bare: dict[int, bytes] = {}
        self._sets: dict[bytes, bytes] = {}
        self._clients: dict[int, bytes] = {}
        self._ways: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def learn(self, messages: Iterable[bytes]) -> None:
        """Keep the headers of evidence, the newest MAX_REMEMBERED of them; they are not verified here.

        Messages that cannot be read are passed over, and so are all of a kind of chain that is followed step by step.
        """
        if self._kind.is_followed:
            return  # each starts from a state of the client that it was made for, not from a checkpoint
        for message in messages:
            try:
                self._keep(known_header(self._kind, message, self._rules))
            except VerificationError:
                continue  # a damaged file costs a request to the chain, nothing else

    def learn_client(self, height: Height, client_state: bytes) -> None:
        """Note which state of the client that follows the chain was given the header at `height`, or has it already.

        Kept for Ethereum chains alone, whose updates are asked for a client's state; the newest MAX_REMEMBERED are
        kept.

        Args:
            client_state: encoded, of a client of this collector's kind; it is not decoded here.
        """
        if self._kind is ChainKind.ETHEREUM:
            while len(self._clients) >= MAX_REMEMBERED:
                self._clients.pop(next(iter(self._clients)))
            self._clients[height.revision_height] = client_state

    async def collect(self, heights: Iterable[Height], client_state: bytes) -> ChainHeaders:
        """Headers under which proofs at `heights` can be judged: from the checkpoint, if there is one, else by each
        other.

        Args:
            client_state: encoded, of a client that follows the chain.

        Raises:
            AdapterError: the chain does not serve a header any more, or a height is below the checkpoint's reach.
            UnsupportedOperation: the kind of chain needs a checkpoint, and there is none.
            MalformedInput: a message of the adapter cannot be read.
        """
        wanted = sorted(set(heights))
        numbers = [height.revision_height for height in wanted]
        entries: dict[int, HeaderEntry] = {}
        if self._kind is ChainKind.ATTESTATION:
            for height in wanted:
                known = await self._signed(height, client_state)
                entries[known.height] = known.entry
            return self._chain(entries, set())
        if self._kind is ChainKind.ETHEREUM:
            return self._chain(await self._updates(wanted, client_state), set())
        if self._kind.is_followed:
            return self._chain(await self._followed(wanted), set())
        sets: set[bytes] = set()
        checkpoint = self._checkpoint
        at = None if checkpoint is None else checkpoint.height
        if at is not None and (below := [number for number in numbers if number <= at]):
            await self._bare_range(below, at, client_state, wanted[0].revision_number, entries)
        if checkpoint is not None and checkpoint.header is None and checkpoint.height not in entries:
            entries[checkpoint.height] = HeaderEntry(await self._bare_header(checkpoint.height))
        previous, trusted = at, b""
        if at is not None:
            trusted = next_signers_of(self._kind, await self._bare_header(at), self._rules)
        for height in wanted:
            if at is not None and height.revision_height <= at:
                continue
            for known in await self._way(previous, trusted, height, client_state):
                keeps_account = known.height in numbers
                entries[known.height] = known.entry if keeps_account else replace(known.entry, account_proof=())
                sets.add(known.signers)
                if previous is not None:
                    sets.add(trusted)
                previous, trusted = known.height, known.next_signers
        return self._chain(entries, sets)

    async def _updates(self, wanted: list[Height], client_state: bytes) -> dict[int, HeaderEntry]:
        """Of an Ethereum chain: from the checkpoint on, with those of missed committee periods; without a checkpoint those
        of `wanted` alone, as the client that follows the chain would be given them."""
        entries: dict[int, HeaderEntry] = {}
        trust = None if self._checkpoint is None else self._checkpoint.trust
        way = None if not isinstance(trust, EthereumTrust) else SyncCommitteeWay(trust.client_state)
        for height in wanted:
            if way is None:
                known = await self._signed(height, self._clients.get(height.revision_height, client_state))
                entries[known.height] = known.entry
                continue
            if height < way.height:
                raise HeightUnavailable(
                    self._adapter.name, height.revision_height, "is below the checkpoint: take an older one"
                )
            if height == way.height:
                continue  # the checkpoint's own state, or just proven
            try:
                messages = await self._adapter.client_messages(self._kind.value, way.client_state, way.height, height)
            except HeightUnavailable:
                if height.revision_height not in self._known:
                    raise
                messages = (self._known[height.revision_height].entry.header,)
            for message in messages:
                known = known_header(self._kind, message, self._rules)
                self._keep(known)
                entries[known.height] = known.entry
                way.pass_over(message)
        return entries

    async def _followed(self, wanted: list[Height]) -> dict[int, HeaderEntry]:
        """Updates from the checkpoint on, each from the one before: what a client that began there would be given."""
        checkpoint = self._checkpoint
        if checkpoint is None or not isinstance(checkpoint.trust, FollowedTrust):
            raise UnsupportedOperation(
                f"a bundle without a checkpoint of {self._adapter.name}: its headers are judged one after the other, from"
                " a checkpoint on; make one, and export with it"
            )
        at = Height(0, checkpoint.height)
        entries: dict[int, HeaderEntry] = {}
        for height in wanted:
            if height < at:
                raise HeightUnavailable(
                    self._adapter.name, height.revision_height, "is below the checkpoint: take an older one"
                )
            while at < height:
                goal = min(height, Height(0, at.revision_height + MOST_BLOCKS_AT_ONCE))
                for message in await self._between(at, goal, checkpoint.trust.client_state):
                    known = known_header(self._kind, message, self._rules)
                    entries[known.height] = known.entry
                at = goal
        return entries

    async def _between(self, trusted: Height, goal: Height, client_state: bytes) -> tuple[bytes, ...]:
        """Kept, since bundles of one export have most of their way in common."""
        way = trusted.revision_height, goal.revision_height
        messages = self._ways.get(way)
        if messages is None:
            messages = await self._adapter.client_messages(self._kind.client_type, client_state, trusted, goal)
            while len(self._ways) >= MAX_REMEMBERED_WAYS:
                self._ways.pop(next(iter(self._ways)))
            self._ways[way] = messages
        return messages

    def _chain(self, entries: dict[int, HeaderEntry], sets: set[bytes]) -> ChainHeaders:
        return ChainHeaders(
            self._adapter.chain_id,
            self._kind,
            tuple(entries[number] for number in sorted(entries)),
            tuple(self._sets[name] for name in sorted(sets)) if self._kind is ChainKind.TENDERMINT else (),
        )

    def _keep(self, known: KnownHeader) -> None:
        while len(self._known) >= MAX_REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self._known[known.height] = known
        self._sets.update(known.validator_sets)

    async def _signed(self, height: Height, client_state: bytes) -> KnownHeader:
        """The header at `height`, by whomever it may be trusted."""
        known = self._known.get(height.revision_height)
        if known is None:
            below = Height(height.revision_number, height.revision_height - 1)
            messages = await self._adapter.client_messages(self._kind.value, client_state, below, height)
            known = known_header(self._kind, messages[-1], self._rules)
            self._keep(known)
        return known

    async def _way(
        self, previous: int | None, trusted: bytes, height: Height, client_state: bytes
    ) -> list[KnownHeader]:
        """Headers from `previous` on to `height`: one, unless too few of the trusted signers are left."""
        if previous is None:
            return [await self._signed(height, client_state)]
        known = self._known.get(height.revision_height)
        if known is not None and known.signers == trusted:
            return [known]
        start = Height(height.revision_number, previous)
        messages = await self._adapter.client_messages(self._kind.value, client_state, start, height)
        way = [known_header(self._kind, message, self._rules) for message in messages]
        for step in way:
            self._keep(step)
        return way

    async def _bare_header(self, number: int) -> bytes:
        known = self._bare.get(number)
        if known is None:
            known = await self._adapter.bare_header(number)
            while len(self._bare) >= MAX_HEADERS:
                self._bare.pop(next(iter(self._bare)))
            self._bare[number] = known
        return known

    async def _bare_range(
        self, numbers: list[int], checkpoint: int, client_state: bytes, revision: int, entries: dict[int, HeaderEntry]
    ) -> None:
        """Every header from the lowest proof up to the checkpoint, which hang together by parent hashes."""
        if checkpoint - numbers[0] >= MAX_HEADERS:
            raise HeightUnavailable(
                self._adapter.name,
                numbers[0],
                f"more than {MAX_HEADERS} blocks below the checkpoint: take a nearer one",
            )
        for number in range(numbers[0], checkpoint):
            entries[number] = HeaderEntry(await self._bare_header(number))
        if checkpoint in numbers:
            entries[checkpoint] = HeaderEntry(await self._bare_header(checkpoint))
        if self._kind is ChainKind.BFT_EVM:
            for number in numbers:
                signed = await self._signed(Height(revision, number), client_state)
                entries[number] = replace(entries[number], account_proof=signed.entry.account_proof)
