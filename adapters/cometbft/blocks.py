"""Blocks that the validators committed: heads whose signatures were checked, headers whose hash was."""

from collections import OrderedDict
from dataclasses import dataclass

from hutong.adapters.cometbft.rpc import HEADERS_PER_CALL, CometRpc
from hutong.adapters.interface import BadAnswer, EndpointMismatch, EndpointUnavailable, Head
from hutong.adapters.rpc import Endpoint, each_of
from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.light_clients.tendermint.predicates import CommitSignatures, trusted_power_signed
from hutong.light_clients.tendermint.types import Header, SignedHeader, TrustLevel, ValidatorSet
from hutong.light_clients.tendermint.verification import judge_commit

CACHED_HEADERS = 512
CACHED_SETS = 8
ONE_THIRD = TrustLevel(1, 3)
_UNSIGNED = (VerificationError, BadAnswer, EndpointUnavailable)
"""A head's own validators did not sign it, or its endpoint does not show them: who announces a block keeps them."""


@dataclass(frozen=True, slots=True)
class CommittedHead:
    """A header that more than two thirds of its own validators signed."""

    signed: SignedHeader
    validators: ValidatorSet
    signatures: CommitSignatures

    @property
    def height(self) -> int:
        """Of the signed header."""
        return self.signed.header.height


class CommittedBlocks:
    """Committed headers never change, so the newest few are kept.

    A head is taken only with the signatures of more than two thirds of its validators and, after the first one, of more
    than a third of the validators of the head before it, so that one endpoint cannot run ahead with blocks of its own.
    What is believed in the end is for the light clients to say; this keeps liars from stopping the relay.
    """

    def __init__(self, chain: str, comet: CometRpc) -> None:
        self._chain = chain
        self._comet = comet
        self._headers: OrderedDict[int, SignedHeader] = OrderedDict()
        self._sets: OrderedDict[bytes, ValidatorSet] = OrderedDict()
        self._accepted: CommittedHead | None = None

    async def head(self) -> Head:
        """The newest committed block that is believed, as the class says; never below the one of the last call.

        Raises:
            EndpointUnavailable: no endpoint answers, or not one of the heads is to be believed; it says why, by
                endpoint.
            EndpointMismatch: the very first heads of two endpoints are not of one chain.
        """
        accepted = await self._accept(await self._comet.signed_heads())
        self._keep(accepted.signed)
        header = accepted.signed.header
        return Head(accepted.height, accepted.signed.commit.block_id.hash, header.time_ns)

    async def _accept(self, heads: list[tuple[Endpoint, SignedHeader]]) -> CommittedHead:
        reasons: list[tuple[str, str]] = []
        for place, (endpoint, signed) in enumerate(heads, start=1):
            accepted = self._accepted
            if accepted is not None and signed.header.height <= accepted.height:
                return accepted
            try:
                head = await self._committed(endpoint, signed)
                if accepted is not None:
                    trusted_power_signed(accepted.validators, signed.commit, ONE_THIRD, head.signatures)
            except _UNSIGNED as error:
                reasons.append((endpoint.name, self._leave(endpoint, signed, error)))
                continue
            if accepted is None:
                # those before this one were left
                await self._check_agreement(head, heads[place:])
            self._accepted = head
            return head
        raise EndpointUnavailable(self._chain, "head", tuple(reasons))

    def _leave(self, endpoint: Endpoint, signed: SignedHeader, error: Exception) -> str:
        reason = f"its head {signed.header.height} is not to be believed: {error}"
        self._comet.client.leave(endpoint, reason)
        return reason

    async def _check_agreement(self, head: CommittedHead, others: list[tuple[Endpoint, SignedHeader]]) -> None:
        """The first heads that their validators signed must be of one chain: nobody can yet say who lies."""
        for endpoint, other in others:
            if other.header.validators_hash == head.signed.header.validators_hash:
                continue
            try:
                validators = (await self._committed(endpoint, other)).validators
            except _UNSIGNED as error:
                self._leave(endpoint, other, error)
                continue
            try:
                trusted_power_signed(validators, head.signed.commit, ONE_THIRD, head.signatures)
            except VerificationError as error:
                expected, got = head.signed.header.validators_hash, other.header.validators_hash
                raise EndpointMismatch(endpoint.name, "hash of the validators", got, expected) from error

    async def _committed(self, endpoint: Endpoint, signed: SignedHeader) -> CommittedHead:
        """Raises one of _UNSIGNED. Only its own endpoint is asked: what it made up is no fault of the others."""
        expected_hash = signed.header.validators_hash
        validators = self._sets.get(expected_hash)
        if validators is None:
            validators = await self._comet.validators_of(endpoint, signed.header.height, expected_hash)
            self._keep_set(expected_hash, validators)
        signatures = CommitSignatures(signed.header.chain_id, signed.commit)
        judge_commit(VERIFY, signed, validators, signatures)
        return CommittedHead(signed, validators, signatures)

    async def validators(self, height: int, expected_hash: bytes) -> ValidatorSet:
        """The validator set of a height. Sets change rarely, so the last few are kept by their hash.

        Args:
            expected_hash: `validators_hash` of the header at that height; a set with another hash is refused.

        Raises:
            HeightUnavailable: no endpoint keeps the set.
            EndpointUnavailable: no endpoint gave a set with that hash.
        """
        known = self._sets.get(expected_hash)
        if known is None:
            known = await self._comet.validators(height, expected_hash)
            self._keep_set(expected_hash, known)
        return known

    def _keep_set(self, its_hash: bytes, validators: ValidatorSet) -> None:
        self._sets[its_hash] = validators
        while len(self._sets) > CACHED_SETS:
            self._sets.popitem(last=False)

    def _keep(self, signed: SignedHeader) -> None:
        self._headers[signed.header.height] = signed
        while len(self._headers) > CACHED_HEADERS:
            self._headers.popitem(last=False)

    async def header(self, height: int) -> SignedHeader:
        """The header and commit of a block, kept or asked for. Its hash is recomputed; signatures are not checked.

        Raises:
            HeightUnavailable: all endpoints say that they do not have the block.
            EndpointUnavailable: no endpoint gave a header whose hash the commit is for.
        """
        known = self._headers.get(height)
        if known is None:
            known = await self._comet.signed_header(height)
            self._keep(known)
        return known

    async def bare_headers(self, first: int, last: int) -> dict[int, Header]:
        """The headers of the blocks `first` to `last`, both included, in few requests.

        They link within each request, but whether anybody signed them is not checked here.

        Returns:
            By height.
        """
        known = {height: self._headers[height].header for height in range(first, last + 1) if height in self._headers}
        wanted = [height for height in range(first, last + 1) if height not in known]
        chunks: list[tuple[int, int]] = []
        for height in wanted:
            start, end = chunks[-1] if chunks else (height, height)
            if chunks and height == end + 1 and height - start < HEADERS_PER_CALL:
                chunks[-1] = (start, height)
            else:
                chunks.append((height, height))

        async def read(chunk: tuple[int, int]) -> tuple[Header, ...]:
            return await self._comet.headers(*chunk)

        for headers in await each_of(read, chunks):
            known |= {header.height: header for header in headers}
        return known

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, 32 bytes; time in nanoseconds of Unix time) of a block. Raises as `header`."""
        signed = await self.header(height)
        return signed.commit.block_id.hash, signed.header.time_ns
