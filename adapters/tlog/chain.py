"""A signed log as the chain that a `c2sp-tlog` client follows: heads, updates, proofs of entries and messages.

Nothing can be sent to a log, so this is half a chain: no packets, no transactions. An endpoint is not believed: heads are
signed by log and quorum and grow out of one another, and what tiles give is compared with a signed root.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import trio

from hutong.adapters.interface import (
    AdapterError,
    BadAnswer,
    ClientInfo,
    ClientParameters,
    EndpointMismatch,
    EndpointStatistics,
    Head,
    HeightUnavailable,
    InitialStates,
    NotSupported,
    Proof,
)
from hutong.adapters.rpc import Attempt, RpcClient, open_rpc_client
from hutong.adapters.tlog.reading import read_bundle, read_checkpoint, read_roots
from hutong.adapters.tlog.settings import LogSettings
from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    MalformedInput,
    PredicateFailed,
    VerificationError,
)
from hutong.light_clients.proofs.merkle import ConsistencyProof, MerkleProof, leaf_hash, root_of, verify_consistency
from hutong.light_clients.tlog import (
    Checkpoint,
    ClientState,
    ConsensusState,
    Growth,
    Misbehaviour,
    TlogClient,
    decode_client_state,
    encode_misbehaviour,
    entry_path,
    entry_proof,
    first_states,
    is_message,
    update_message,
)
from hutong.light_clients.tlog.messages import DATA_BYTES, publisher_signed
from hutong.light_clients.tlog.tiles import TILE_WIDTH, consistency_ranges, inclusion_ranges
from hutong.light_clients.tlog.verification import judge_checkpoint

KEPT_HEADS = 256
"""Checkpoints of sizes that a client may still be brought to."""
MAX_MESSAGES = 1_000_000
"""Keys of messages that are kept: 32 bytes each and an index."""


@dataclass(eq=False)
class LogForked(AdapterError):
    """Log and quorum signed two trees. `evidence` freezes a client (`hutong client misbehaviour`)."""

    log: str
    first_size: int
    second_size: int
    evidence: bytes

    def __str__(self) -> str:
        return (
            f"{self.log}: log and quorum signed two trees: the one of {self.second_size} entries did not grow out of "
            f"that of {self.first_size}"
        )


@dataclass(frozen=True, slots=True)
class _SignedHead:
    """A checkpoint that log and quorum signed."""

    checkpoint: Checkpoint
    timestamp_s: int

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def head(self) -> Head:
        return Head(self.size, self.checkpoint.root, self.timestamp_s * NANOSECONDS_PER_SECOND)


class LogSource:
    """See the parts of `hutong.adapters.interface.Source` that have the same names."""

    kind = "tlog"
    merkle_prefix: tuple[bytes, ...] = (b"",)
    blocks_per_update: int | None = None

    def __init__(self, settings: LogSettings, client: RpcClient) -> None:
        self._settings = settings
        self._client = client
        self._judge = settings.trust.client_state(1, 1, 1)
        self._heads: dict[int, _SignedHead] = {}
        self._largest: _SignedHead | None = None
        self._messages: dict[bytes, int] = {}
        self._scanned = 0
        self._scanning = trio.Lock()

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._settings.name

    @property
    def chain_id(self) -> str:
        """The log's origin."""
        return self._settings.trust.origin

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of every endpoint, in configured order; asks nobody."""
        return self._client.statistics()

    def distrust(self, reason: str) -> None:
        """See `Chain.distrust`."""
        self._client.distrust(reason)

    async def check_identity(self) -> None:
        """An endpoint serves a checkpoint that log and quorum signed.

        Raises:
            EndpointUnavailable: none does.
            LogForked: it is not of the tree that was seen before.
        """
        await self.head()

    async def head(self) -> Head:
        """The largest signed tree. Its time is the lowest of the quorum that cosigned it last.

        Raises:
            EndpointUnavailable: no endpoint serves a checkpoint that log and quorum signed.
            LogForked: two trees are signed.
        """
        return (await self._newest()).head

    async def wait_for_height(self, height: int) -> Head:
        """Return the head as soon as it has `height` entries or more. Waits without a limit: the caller sets one.

        Raises:
            EndpointUnavailable, LogForked: as `head`.
        """
        while True:
            found = await self.head()
            if found.height >= height:
                return found
            await trio.sleep(self._settings.poll_interval_s)

    async def block_time_ns(self, height: int) -> int:
        """When the quorum cosigned the tree of that size, nanoseconds of Unix time.

        Raises:
            HeightUnavailable: no checkpoint of it was seen.
        """
        return self._head_at(height).head.time_ns

    def proving_height(self, event_height: int) -> Height:
        """The entry that made the tree `event_height` large is under that very tree."""
        return Height(0, event_height)

    async def bare_header(self, height: int) -> bytes:
        """Raises NotSupported: a checkpoint without its signatures says nothing."""
        raise NotSupported("bare headers of a signed log")

    def signed_checkpoint(self, height: int) -> Checkpoint:
        """The checkpoint of the tree of that size, as log and quorum signed it.

        Raises:
            HeightUnavailable: none of it was seen.
        """
        return self._head_at(height).checkpoint

    @property
    def believed(self) -> ClientState:
        """Whom this source believes: a client state of which size and periods say nothing."""
        return self._judge

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """States for a new client of the log at its largest tree, which log and quorum signed.

        Raises:
            NotSupported: another client type.
            HeightUnavailable: `parameters.begin_height` is a size of which no checkpoint was seen.
            EndpointUnavailable, LogForked: as `head`.
            MalformedInput: a period is out of its bounds.
        """
        self._check_type(client_type)
        newest = await self._newest()
        begin = newest if parameters.begin_height is None else self._head_at(parameters.begin_height)
        client, state = first_states(
            self._settings.trust, begin.checkpoint, parameters.trusting_period_s, parameters.max_clock_drift_s
        )
        return InitialStates(client_type, Height(0, begin.size), client, state, begin.checkpoint.root)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """One update that brings a client from the tree of `trusted` to that of `target`; none if they are equal.

        Its first root is what the log's own tiles give for the smaller tree: where that is not what the client has stored,
        the update is evidence against the log.

        Raises:
            NotSupported: another client type.
            HeightUnavailable: of `target` no checkpoint was seen, or it is smaller.
            EndpointUnavailable, LogForked: as `head`, or no endpoint has the tiles.
        """
        self._check_type(client_type)
        self._check_follows(client_state)
        if trusted == target:
            return ()
        if trusted > target:
            raise HeightUnavailable(self.name, target.revision_height, f"the client is at {trusted}")
        if target.revision_height not in self._heads:
            await self._newest()
        return (await self._update(trusted.revision_height, self._head_at(target.revision_height)),)

    async def refreshing_message(self, client_type: str, client_state: bytes, stored_s: int) -> bytes | None:
        """An update with newer cosignatures of the tree that a client is at; None where there are none.

        Args:
            stored_s: Unix seconds of the client's state at its latest height.

        Raises:
            NotSupported, EndpointUnavailable, LogForked: as `client_messages`.
        """
        self._check_type(client_type)
        size = self._check_follows(client_state)
        newest = await self._newest()
        if newest.size != size or newest.timestamp_s <= stored_s:
            return None
        return await self._update(size, newest)

    async def newest_update(self, info: ClientInfo) -> bytes | None:
        """What brings a client to the largest tree, or renews the time of that; None where there is nothing newer.

        Args:
            info: of the client, as its host says it.

        Raises:
            NotSupported, EndpointUnavailable, LogForked: as `client_messages`.
        """
        target = Height(0, (await self.head()).height)
        if target > info.latest_height:
            (message,) = await self.client_messages(info.client_type, info.client_state, info.latest_height, target)
            return message
        stored_s = info.latest_timestamp_ns // NANOSECONDS_PER_SECOND
        return await self.refreshing_message(info.client_type, info.client_state, stored_s)

    async def _update(self, trusted_size: int, head: _SignedHead) -> bytes:
        ranges = [(0, trusted_size), *consistency_ranges(trusted_size, head.size)]

        async def ask(attempt: Attempt) -> bytes:
            first_root, *nodes = await read_roots(attempt, ranges, head.size)
            _check(attempt, ConsistencyProof(trusted_size, head.size, tuple(nodes)), first_root, head.checkpoint.root)
            trusted = ConsensusState(trusted_size, first_root, head.timestamp_s)
            return update_message(trusted, head.checkpoint, tuple(nodes))

        return await self._client.run("update", ask, at_height=head.size)

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """The entry at the index that `path` names, or the message under an ICS-24 key, in the tree of `height`.

        Raises:
            NotSupported: nothing is there: a log proves no absence.
            MalformedInput: the path is neither of the two.
            HeightUnavailable: of that size no checkpoint was seen.
            EndpointUnavailable: no endpoint has tiles and entries that lead to the signed root.
        """
        head = self._head_at(height.revision_height)
        if len(path) == 1:
            return await self._prove_message(path, head)
        if len(path) != 2 or path != entry_path(int.from_bytes(path[1][:8], "big")):
            raise MalformedInput("path", "is neither one ICS-24 key nor entry and an index of 8 bytes", got=len(path))
        index = int.from_bytes(path[1], "big")
        if index >= head.size:
            raise NotSupported(f"proof of absence in a log: it has {head.size} entries")
        entry, siblings = await self._entry(index, head)
        return Proof(path, height, entry, entry_proof(index, siblings))

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """`prove` for each of `paths`, in their order. Raises as `prove`, for the first path that fails."""
        return tuple([await self.prove(path, height, client_state) for path in paths])

    async def _prove_message(self, path: tuple[bytes, ...], head: _SignedHead) -> Proof:
        trust = self._settings.trust
        if not trust.publisher_key:
            raise NotSupported("packets of a log without a publisher")
        await self._scan(head)
        index = self._messages.get(sha256(path[0]))
        if index is None or index >= head.size:
            raise NotSupported("proof of absence in a log: the publisher has no message under that key")
        entry, siblings = await self._entry(index, head)
        return Proof(
            path,
            Height(0, head.size),
            entry[DATA_BYTES - 32 : DATA_BYTES],
            entry_proof(index, siblings, entry[DATA_BYTES:]),
        )

    async def _scan(self, head: _SignedHead) -> None:
        """Know the publisher's messages among the first `head.size` entries: of two under one key the first one."""
        trust = self._settings.trust
        async with self._scanning:
            while self._scanned < head.size:
                bundle, offset = divmod(self._scanned, TILE_WIDTH)
                entries = await self._bundle(bundle, head)
                for at in range(offset, len(entries)):
                    entry = entries[at]
                    if not is_message(entry) or len(self._messages) >= MAX_MESSAGES:
                        continue
                    try:
                        VERIFY(
                            publisher_signed, trust.publisher_key, trust.origin, entry[:DATA_BYTES], entry[DATA_BYTES:]
                        )
                    except PredicateFailed:
                        continue
                    self._messages.setdefault(entry[DATA_BYTES - 64 : DATA_BYTES - 32], bundle * TILE_WIDTH + at)
                self._scanned = bundle * TILE_WIDTH + len(entries)

    async def _bundle(self, index: int, head: _SignedHead) -> tuple[bytes, ...]:
        """Entries whose leaf hashes lead to the signed root."""
        first = index * TILE_WIDTH
        width = min(TILE_WIDTH, head.size - first)

        async def ask(attempt: Attempt) -> tuple[bytes, ...]:
            entries = await read_bundle(attempt, index, width)
            # The siblings of the first leaf are hashed from all others of its tile, so that its path vouches for the tile.
            await _entry_of(attempt, first, entries[0], head)
            hashes = await read_roots(attempt, [(first + at, first + at + 1) for at in range(width)], head.size)
            if tuple(map(leaf_hash, entries)) != hashes:
                raise BadAnswer("entries", f"bundle {index}", "does not hash to its tile")
            return entries

        return await self._client.run("entries", ask, at_height=head.size)

    async def _entry(self, index: int, head: _SignedHead) -> tuple[bytes, tuple[bytes, ...]]:
        bundle, offset = divmod(index, TILE_WIDTH)
        width = min(TILE_WIDTH, head.size - bundle * TILE_WIDTH)

        async def ask(attempt: Attempt) -> tuple[bytes, tuple[bytes, ...]]:
            entry = (await read_bundle(attempt, bundle, width))[offset]
            return entry, await _entry_of(attempt, index, entry, head)

        return await self._client.run("entry", ask, at_height=head.size)

    def _check_type(self, client_type: str) -> None:
        if client_type != TlogClient.client_type:
            raise NotSupported(f"clients of type {client_type} of a signed log")

    def _check_follows(self, client_state: bytes) -> int:
        """The client's latest size. Raises NotSupported: it follows another log or another key."""
        client = decode_client_state(client_state)
        if (client.origin, client.log_key) != (self._settings.trust.origin, self._settings.trust.log_key):
            raise NotSupported(f"a client of {client.origin} with updates of {self.chain_id}")
        return client.latest_height.revision_height

    def _head_at(self, size: int) -> _SignedHead:
        found = self._heads.get(size)
        if found is None:
            raise HeightUnavailable(self.name, size, "no checkpoint of that size was seen")
        return found

    async def _newest(self) -> _SignedHead:
        """Ask an endpoint for its checkpoint, and know it if it is the largest, or newer of the same size."""

        async def ask(attempt: Attempt) -> _SignedHead:
            checkpoint = await read_checkpoint(attempt)
            try:
                timestamp_s = judge_checkpoint(VERIFY, self._judge, checkpoint)
            except PredicateFailed as error:
                if error.predicate == "checkpoint_is_of_the_log":
                    raise EndpointMismatch(attempt.endpoint_name, "the log", error.got, error.expected) from None
                raise BadAnswer("checkpoint", error.predicate, error.reason, error.got) from None
            except VerificationError as error:
                raise BadAnswer("checkpoint", "cosignature", str(error)) from None
            if not checkpoint.size:
                raise BadAnswer("checkpoint", "size", "an empty log is nothing to begin with")
            shown = _SignedHead(checkpoint, timestamp_s)
            await self._take(attempt, shown)
            return shown

        await self._client.run("checkpoint", ask)
        assert self._largest is not None
        return self._largest

    async def _take(self, attempt: Attempt, shown: _SignedHead) -> None:
        """A checkpoint takes its place among those seen.

        Raises:
            LogForked: it is not of the tree that was seen.
            BadAnswer, AttemptFailed: the endpoint's tiles do not show that it is.
        """
        known = self._largest
        if known is not None and shown.size < known.size:
            return
        if known is not None and shown.size == known.size:
            if shown.checkpoint.root != known.checkpoint.root:
                raise self._forked(known, shown, shown.checkpoint.root, ())
            if shown.timestamp_s <= known.timestamp_s:
                return
        elif known is not None:
            ranges = [(0, known.size), *consistency_ranges(known.size, shown.size)]
            first_root, *nodes = await read_roots(attempt, ranges, shown.size)
            proof = ConsistencyProof(known.size, shown.size, tuple(nodes))
            _check(attempt, proof, first_root, shown.checkpoint.root)
            if first_root != known.checkpoint.root:
                raise self._forked(known, shown, first_root, tuple(nodes))
        self._largest = self._heads[shown.size] = shown
        while len(self._heads) > KEPT_HEADS:
            del self._heads[min(self._heads)]

    def _forked(self, known: _SignedHead, shown: _SignedHead, first_root: bytes, nodes: tuple[bytes, ...]) -> LogForked:
        evidence = Misbehaviour(known.checkpoint, None, shown.checkpoint, Growth(first_root, nodes))
        return LogForked(self.name, known.size, shown.size, encode_misbehaviour(evidence))


def _check(attempt: Attempt, proof: ConsistencyProof, first_root: bytes, second_root: bytes) -> None:
    """Raises BadAnswer: the endpoint's tiles are not of the signed tree."""
    try:
        verify_consistency(proof, first_root, second_root)
    except PredicateFailed as error:
        raise BadAnswer("tile", error.predicate, f"{attempt.endpoint_name} serves tiles of another tree") from None


async def _entry_of(attempt: Attempt, index: int, entry: bytes, head: _SignedHead) -> tuple[bytes, ...]:
    """The siblings of an entry. Raises BadAnswer: they do not lead to the signed root."""
    siblings = await read_roots(attempt, inclusion_ranges(index, head.size), head.size)
    if root_of(MerkleProof(head.size, index, leaf_hash(entry), siblings)) != head.checkpoint.root:
        raise BadAnswer("entries", f"entry {index}", "does not lead to the signed root")
    return siblings


@asynccontextmanager
async def open_log_source(settings: LogSettings, random: Random) -> AsyncIterator[LogSource]:
    """The adapter of a log, for as long as the block lasts. Its endpoints are first asked when used.

    Raises:
        MalformedInput: no client could believe the log as `settings.trust` says.
    """
    async with open_rpc_client(settings.name, settings.urls, random, settings.options) as client:
        yield LogSource(settings, client)
