"""How far a validator's key signed, kept on its token as well: one data object for each signer that uses the key.

A signer's record lies in its home, and a home can be copied, or come back from a week-old backup. The token is the one thing
that two signers with one key have in common, unless the key itself was cloned, which this cannot see. So before a vote or
proposal is signed, the signer puts an object with its place on the token and looks which are there. An object is put before
it is looked for: of two signers that do so at once, one at least sees the other.
"""

import secrets
from dataclasses import dataclass
from typing import Protocol

import trio

from hutong.adapters.interface.errors import SignerUnavailable, SigningFailed, SigningRefused
from hutong.relay.config import Pkcs11Config
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote, SigningDocument
from hutong.relay.keys.source import KeyAlgorithm, KeySource, SourceHealth
from hutong.relay.keys.sources.pkcs11.place import place_in
from hutong.relay.keys.sources.pkcs11.pool import leave_pool, pool_of

_TAG_BYTES = 8


@dataclass(frozen=True, slots=True, order=True)
class MarkPlace:
    """How far: of a height and round, `step` is 0 for nothing, 1 for a proposal, 2 for a prevote and 3 for a precommit."""

    height: int
    round: int
    step: int

    def __str__(self) -> str:
        return f"height {self.height} round {self.round} step {self.step}"


@dataclass(frozen=True, slots=True)
class Mark:
    """One object's value. A signer draws its tag when it starts.

    `content` is the digest of what was to be signed there, in hex; empty for nothing. Of one place two contents are two signers.
    """

    place: MarkPlace
    content: str
    tag: str

    @property
    def text(self) -> str:
        """What the object holds, in ASCII."""
        return f"{self.place.height}/{self.place.round}/{self.place.step}/{self.content}/{self.tag}"


def parse_mark(text: str) -> Mark | None:
    """Inverse of `Mark.text`; None for anything else, such as an object of somebody else's with our name."""
    parts = text.split("/")
    if len(parts) != 5 or not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts[:3]):
        return None
    height, round_, step = (int(part) for part in parts[:3])
    return Mark(MarkPlace(height, round_, step), parts[3], parts[4])


class MarkAhead(SigningRefused):
    """The token says that its key signed further than this signer's record, or something else: another signer used it, or the
    home is an old copy."""


class MarkTaken(SigningRefused):
    """Another signer uses the same key on the same token, and this one signs nothing any more."""


def place_of(document: ConsensusVote | ConsensusProposal) -> MarkPlace:
    """The place of what is to be signed."""
    step = 1 + int(document.message_type) if isinstance(document, ConsensusVote) else 1
    return MarkPlace(document.height, document.round, step)


class Marks(Protocol):
    """The marks of one key and chain on a token."""

    async def there(self) -> frozenset[str]:
        """Those that are there. Every call raises SigningFailed where the token does not answer as it should."""

    async def put(self, text: str) -> frozenset[str]:
        """Those that are there afterwards."""

    async def remove(self, texts: frozenset[str]) -> None: ...

    async def aclose(self) -> None:
        """Let go of the token."""


class TokenMarks:
    """Those of a configured key, as data objects that only who has the PIN sees."""

    def __init__(self, config: Pkcs11Config, chain_id: str) -> None:
        self._config = config
        self._token = place_in(config)
        self._name = f"{chain_id} {config.public_key[-16:]}"

    async def there(self) -> frozenset[str]:
        """See `Marks`."""
        return frozenset(await self._ask("marks", {}))

    async def put(self, text: str) -> frozenset[str]:
        """See `Marks`."""
        return frozenset(await self._ask("mark", {"value": text}))

    async def remove(self, texts: frozenset[str]) -> None:
        """See `Marks`."""
        await self._ask("unmark", {"values": sorted(texts)})

    async def _ask(self, deed: str, about: dict[str, object]) -> list[str]:
        pool = pool_of(self._token, self, self._config.processes)
        limit_s = self._config.timeout_ms / 1000
        answer = await pool.ask(self._config.place, deed, {"name": self._name, **about}, limit_s)
        return [str(text) for text in answer or ()]

    async def aclose(self) -> None:
        """See `Marks`."""
        await leave_pool(self._token, self)


class MarkedKey:
    """A source whose key is on a token, for consensus. Votes and proposals are marked there before they are signed.

    Its caller asks for one signature at a time, and has it in its own record before. What is asked for again is not marked again,
    and is signed only while nothing later was.
    """

    def __init__(self, source: KeySource, marks: Marks, recorded: MarkPlace, content: bytes = b"") -> None:
        """`recorded` is the last place of the signer's own record when it starts, `content` the digest of what is there."""
        self._source = source
        self._marks = marks
        self._own = Mark(recorded, content.hex(), secrets.token_hex(_TAG_BYTES))
        self._is_claimed = False
        self._refusal: SigningRefused | None = None
        # Who is asked for its health meanwhile would take the mark of a vote, which is not our own yet, for another signer's.
        self._marking = trio.Lock()

    @property
    def refusal(self) -> SigningRefused | None:
        """Why nothing is signed any more: MarkAhead or MarkTaken, once one was met."""
        return self._refusal

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._source.name

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return self._source.algorithm

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._source.public_key

    async def claim(self) -> None:
        """Take the key over from signers that ended, once. Signers that still run notice it, and sign nothing any more.

        Raises:
            MarkAhead: some signer went further than our record; nothing of others was changed on the token.
            SigningFailed: the token does not answer as it should.
        """
        async with self._marking:
            await self._claim()

    async def _claim(self) -> None:
        if self._is_claimed:
            return
        self._check_not_ahead(await self._marks.there())
        there = await self._marks.put(self._own.text)
        try:
            self._check_not_ahead(there)
        except MarkAhead:
            await self._marks.remove(frozenset({self._own.text}))
            raise
        await self._marks.remove(there - {self._own.text})
        self._is_claimed = True

    def _check_not_ahead(self, there: frozenset[str]) -> None:
        for mark in map(parse_mark, sorted(there)):
            if mark is None or (mark.place, mark.content) == (self._own.place, self._own.content):
                continue
            if mark.place >= self._own.place:
                raise MarkAhead(
                    self.name,
                    f"the token says that its key signed up to {mark.place}, and this signer's record ends at"
                    f" {self._own.place}{' with something else' if mark.place == self._own.place else ''}:"
                    " another signer used it, or this home is an old copy",
                )

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`.

        Raises:
            MarkAhead, MarkTaken: as they say; each is final for this process.
        """
        if self._refusal is not None:
            raise self._refusal
        try:
            async with self._marking:
                await self._claim()
                if isinstance(document, ConsensusVote | ConsensusProposal):
                    await self._advance(place_of(document), document.digest.hex())
                else:
                    self._check_alone(await self._marks.there())
        except (MarkAhead, MarkTaken) as error:
            self._refusal = error
            raise
        return await self._source.sign(document)

    async def _advance(self, place: MarkPlace, content: str) -> None:
        if (place, content) == (self._own.place, self._own.content):
            # Asked for again, for its answer was lost: still only while nobody else has the key.
            self._check_alone(await self._marks.there())
            return
        if place <= self._own.place:
            # What was marked before this one says nothing of what was signed here, so the vote is given up.
            raise SignerUnavailable(
                self.name, f"signs nothing at {place} any more: its token is marked up to {self._own.place}"
            )
        new = Mark(place, content, self._own.tag)
        there = await self._marks.put(new.text)
        try:
            self._check_alone(there)
        except MarkTaken:
            await self._marks.remove(frozenset({new.text}))
            raise
        self._own = new
        await self._marks.remove(there - {new.text})

    def _check_alone(self, there: frozenset[str]) -> None:
        tags = {None if (mark := parse_mark(text)) is None else mark.tag for text in there}
        if self._own.text not in there or tags != {self._own.tag}:
            raise MarkTaken(
                self.name,
                "another signer uses this key on this token: this one signs nothing until it is started again",
            )

    async def health(self) -> SourceHealth:
        """See `KeySource`: also whether the token lets this signer go on."""
        health = await self._source.health()
        if not health.ready:
            return health
        try:
            if self._refusal is None:
                await self.claim()
        except MarkAhead as error:
            self._refusal = error
        except SigningFailed as error:
            return SourceHealth(ready=False, detail=str(error))
        return health if self._refusal is None else SourceHealth(ready=False, detail=str(self._refusal))

    async def aclose(self) -> None:
        """See `KeySource`. The mark stays."""
        await self._marks.aclose()
        await self._source.aclose()
