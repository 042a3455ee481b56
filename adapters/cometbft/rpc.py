"""CometBFT's RPC: commits, validators and application state with proofs, each answer checked against its own hashes."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hutong.adapters.interface import BadAnswer, EndpointMismatch, HeightUnavailable, RpcRefused
from hutong.adapters.rpc import Answer, Attempt, Decoder, Endpoint, Fields, RpcClient, all_of
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.rpc_json import header_from_rpc, signed_header_from_rpc, validator_set_from_rpc
from hutong.light_clients.tendermint.types import MAX_VALIDATORS, Header, SignedHeader, ValidatorSet

VALIDATORS_PER_PAGE = 100
"""CometBFT's own cap."""
HEADERS_PER_CALL = 20
"""CometBFT's own cap of `blockchain`."""
MAX_PROOF_OPS = 4
MAX_BASE64_CHARS = 1 << 20
MAX_REASON_CHARS = 1_024
INTERNAL_ERROR = -32603
"""What CometBFT answers for a height that it has not reached or keeps no more; the reason is in `data`."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """`value` None: absent. `proofs` are the ics23 CommitmentProofs of the proof operations, in their order.
    `height` as the application says it: a hub names the header that the proofs verify at, the Cosmos SDK the state."""

    value: bytes | None
    proofs: tuple[bytes, ...]
    height: int


def base64_bytes(fields: Fields, max_chars: int = MAX_BASE64_CHARS) -> bytes:
    """The bytes of base64 text of at most `max_chars` characters. Null is empty, as CometBFT writes empty bytes.

    Raises:
        BadAnswer: not text, too long, or not base64.
    """
    if fields.value is None:
        return b""
    try:
        return base64.b64decode(fields.text(max_chars), validate=True)
    except (binascii.Error, ValueError) as error:
        raise fields.bad("is not base64") from error


class CometRpc:
    """Typed calls, each answer checked against the question and against its own hashes."""

    def __init__(self, client: RpcClient) -> None:
        self.client = client

    async def signed_heads(self) -> list[tuple[Endpoint, SignedHeader]]:
        """The newest executed block of each usable endpoint, the highest first; laggards rank last from now on.

        Each header hashes to the block that its commit is for. Signatures are not checked.

        Raises:
            EndpointUnavailable: no endpoint gave one.
        """

        async def newest(attempt: Attempt) -> SignedHeader:
            heads: list[SignedHeader] = []
            executed: list[int] = []

            async def committed(params: dict[str, Any]) -> None:
                heads.append(await attempt.call("commit", params, lambda fields: _signed_header(fields, None)))

            async def application(params: dict[str, Any]) -> None:
                executed.append(await attempt.call("abci_info", params, _last_block_height))

            await all_of([(committed, {}), (application, {})])
            if executed[0] < heads[0].header.height:
                # CometBFT tells of a block before the application has executed it
                return await self.at_height(
                    attempt,
                    "commit",
                    {"height": str(executed[0])},
                    lambda fields: _signed_header(fields, executed[0]),
                    executed[0],
                )
            return heads[0]

        heads = await self.client.ask_each("commit", newest)
        self.client.heads_seen([(endpoint, signed.header.height) for endpoint, signed in heads])
        return sorted(heads, key=lambda head: head[1].header.height, reverse=True)

    async def signed_header(self, height: int) -> SignedHeader:
        """Header and commit of a block. The header hashes to the block of the commit; signatures are not checked.

        Raises:
            HeightUnavailable: all endpoints say that they do not have the block.
            EndpointUnavailable: no endpoint gave such a header.
        """

        async def work(attempt: Attempt) -> SignedHeader:
            params = {"height": str(height)}
            return await self.at_height(
                attempt, "commit", params, lambda fields: _signed_header(fields, height), height
            )

        return await self.client.run("commit", work, at_height=height)

    async def at_height(
        self, attempt: Attempt, method: str, params: dict[str, Any], decode: Decoder[Answer], height: int
    ) -> Answer:
        """One call about a block, on one endpoint.

        Raises:
            HeightUnavailable: the node says that it does not have the block.
            AttemptFailed, BadAnswer, RpcRefused: as `Attempt.call`.
        """
        try:
            return await attempt.call(method, params, decode)
        except RpcRefused as error:
            if error.code == INTERNAL_ERROR and isinstance(error.data, str):
                raise HeightUnavailable(self.client.chain, height, error.data[:MAX_REASON_CHARS]) from error
            raise

    async def headers(self, first: int, last: int) -> tuple[Header, ...]:
        """The headers of the blocks `first` to `last`, both included, at most `HEADERS_PER_CALL`.

        Each is linked to the one before by its hash. Whether anybody signed them is not checked here.

        Raises:
            HeightUnavailable: no endpoint has the last one.
            EndpointUnavailable: no endpoint gave headers that link.
        """

        def decode(fields: Fields) -> tuple[Header, ...]:
            rows = list(fields.at("block_metas").items(HEADERS_PER_CALL))
            headers = [_header(row) for row in reversed(rows)]
            if [header.height for header in headers] != list(range(first, last + 1)):
                raise fields.at("block_metas").bad(f"are not of the blocks {first} to {last}")
            for before, after in pairwise(headers):
                if after.last_block_id.hash != header_hash(before):
                    raise fields.at("block_metas").bad(f"block {after.height} does not follow the one before")
            return tuple(headers)

        async def work(attempt: Attempt) -> tuple[Header, ...]:
            params = {"minHeight": str(first), "maxHeight": str(last)}
            return await self.at_height(attempt, "blockchain", params, decode, last)

        return await self.client.run("blockchain", work, at_height=last)

    async def validators(self, height: int, expected_hash: bytes) -> ValidatorSet:
        """The validator set of a height, from all pages.

        Args:
            expected_hash: `validators_hash` of the header at that height.

        Raises:
            HeightUnavailable: no endpoint keeps the set.
            EndpointUnavailable: no endpoint gave a set with that hash.
        """

        async def all_pages(attempt: Attempt) -> ValidatorSet:
            return await self._all_validators(attempt, height, expected_hash)

        return await self.client.run("validators", all_pages, at_height=height)

    async def validators_of(self, endpoint: Endpoint, height: int, expected_hash: bytes) -> ValidatorSet:
        """As `validators`, by this endpoint alone, which is not struck.

        Args:
            expected_hash: `validators_hash` of the header that it gave for that height.

        Raises:
            EndpointUnavailable: it does not show them.
            BadAnswer: it shows other validators.
        """

        async def all_pages(attempt: Attempt) -> ValidatorSet:
            return await self._all_validators(attempt, height, expected_hash)

        return await self.client.ask_one(endpoint, "validators", all_pages)

    async def _all_validators(self, attempt: Attempt, height: int, expected_hash: bytes) -> ValidatorSet:
        rows: list[object] = []
        total = 1
        while len(rows) < total:
            page = len(rows) // VALIDATORS_PER_PAGE + 1
            served, total = await self._validators_page(attempt, height, page)
            rows += served
            if not served or total > MAX_VALIDATORS:
                raise BadAnswer("validators", "result.total", "does not fit the pages served", got=total)
        try:
            validator_set = validator_set_from_rpc({"validators": rows}, "result")
            got = validator_set_hash(validator_set)
        except VerificationError as error:
            raise BadAnswer("validators", "result", str(error)) from error
        if got != expected_hash:
            raise BadAnswer("validators", "result.validators", "do not hash to the header's validators", got=got)
        return validator_set

    async def _validators_page(self, attempt: Attempt, height: int, page: int) -> tuple[list[object], int]:
        def decode(fields: Fields) -> tuple[list[object], int]:
            if fields.at("block_height").decimal() != height:
                raise fields.at("block_height").bad(f"is not the asked {height}")
            rows = [row.value for row in fields.at("validators").items(VALIDATORS_PER_PAGE)]
            return rows, fields.at("total").decimal()

        params = {"height": str(height), "page": str(page), "per_page": str(VALIDATORS_PER_PAGE)}
        return await self.at_height(attempt, "validators", params, decode, height)

    async def query(
        self,
        path: str,
        data: bytes,
        height: int,
        *,
        prove: bool = False,
        check: Callable[[QueryAnswer], None] | None = None,
    ) -> QueryAnswer:
        """What the application answers for its state after block `height`; proofs are for header `height + 1`.

        Args:
            path: of the store or service, such as `/store/ibc/key`.
            data: the key, or the encoded request.
            prove: an answer without proofs is refused.
            check: raises BadAnswer for an answer that does not hold; another endpoint is then asked.

        Raises:
            HeightUnavailable: no endpoint keeps that state, or the application refuses the query on all.
            EndpointUnavailable, RpcRefused: no endpoint gave an answer that `check` takes.
        """

        def checked(_key: bytes, answer: QueryAnswer) -> None:
            if check is not None:
                check(answer)

        return (await self.query_each(path, [data], height, checked, prove=prove))[0]

    async def query_each(
        self,
        path: str,
        keys: Sequence[bytes],
        height: int,
        check: Callable[[bytes, QueryAnswer], None],
        *,
        prove: bool = False,
    ) -> list[QueryAnswer]:
        """As `query`, for at most `MOST_IN_A_BATCH` keys in one exchange.

        Args:
            check: gets each key with its answer; raises BadAnswer for one that does not hold, and another endpoint is
                asked.

        Returns:
            In the order of `keys`.

        Raises:
            As `query`.
        """

        def decode(index: int, fields: Fields) -> QueryAnswer:
            answer = self._query_answer(fields, keys[index], height, prove)
            check(keys[index], answer)
            return answer

        params = [{"path": path, "data": key.hex(), "height": str(height), "prove": prove} for key in keys]

        async def work(attempt: Attempt) -> list[QueryAnswer]:
            return await attempt.call_each("abci_query", params, decode)

        return await self.client.run("abci_query", work, at_height=height)

    def _query_answer(self, fields: Fields, data: bytes, height: int, prove: bool) -> QueryAnswer:
        response = fields.at("response")
        code = 0 if (given := response.get("code")) is None else given.decimal(2**32 - 1)
        log = "" if (given := response.get("log")) is None else given.text()
        if code:
            raise HeightUnavailable(self.client.chain, height, f"abci_query refused with code {code}: {log}")
        answered_key = response.get("key")
        if answered_key is not None and base64_bytes(answered_key) not in (data, b""):
            raise response.at("key").bad("is not the asked key")
        value = b"" if (given := response.get("value")) is None else base64_bytes(given)
        if log and not value:
            # the Cosmos SDK answers so for a version that it keeps no more: that is no absence
            raise HeightUnavailable(self.client.chain, height, f"no state: {log}")
        proof_ops = response.get("proofOps") or response.get("proof_ops")
        proofs: tuple[bytes, ...] = ()
        if proof_ops is not None:
            proofs = tuple(base64_bytes(op.at("data")) for op in proof_ops.at("ops").items(MAX_PROOF_OPS))
        if prove and not proofs:
            raise response.bad("has no proof")
        return QueryAnswer(value or None, proofs, response.at("height").decimal())


def _header(row: Fields) -> Header:
    try:
        header = header_from_rpc(row.at("header").value, f"{row.path}.header")
        got = header_hash(header)
    except VerificationError as error:
        raise BadAnswer("blockchain", row.path, str(error)) from error
    if row.at("block_id").at("hash").text(64).lower() != got.hex():
        raise row.at("block_id").bad("is not of the header")
    return header


def _last_block_height(fields: Fields) -> int:
    """0 (which CometBFT leaves out) before the first block."""
    height = fields.at("response").get("last_block_height")
    return 0 if height is None else height.decimal()


def _signed_header(fields: Fields, height: int | None) -> SignedHeader:
    try:
        signed = signed_header_from_rpc(fields.at("signed_header").value, "result.signed_header")
        got = header_hash(signed.header)
    except VerificationError as error:
        raise BadAnswer("commit", "result", str(error)) from error
    if signed.commit.height != signed.header.height or height not in (None, signed.header.height):
        raise BadAnswer("commit", "result.signed_header.header.height", f"is not the asked {height}")
    if got != signed.commit.block_id.hash:
        raise BadAnswer("commit", "result.signed_header.commit.block_id", "is not of the header", got=got)
    return signed


async def identify_chain(attempt: Attempt, chain_id: str) -> None:
    """Check that an endpoint serves the chain of this id; `RpcClient` runs it before the endpoint's first use.

    Raises:
        EndpointMismatch: it serves another network.
        AttemptFailed, BadAnswer, RpcRefused: as `Attempt.call`.
    """
    got = await attempt.call("status", {}, lambda fields: fields.at("node_info").at("network").text(64))
    if got != chain_id:
        raise EndpointMismatch(attempt.endpoint_name, "chain id", got, chain_id)
