"""One operator as a gateway or a repairer speaks to it (docs/spec/storage-operator-api.md). What it answers is judged before it counts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import trio

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.rules.commitments.entries import ShardEntry, batch_part
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, struct_is_signed_by
from hutong.relay.services.storage.rules.lifecycle.stored import judge_receipt
from hutong.relay.services.storage.rules.operator_api.access import (
    SCHEME,
    Rights,
    SignedAccess,
    StorageAccess,
    encode_token,
)
from hutong.relay.services.storage.rules.operator_api.documents import (
    MAX_ANSWER_JSON_BYTES,
    SignedDeletion,
    decode_deletion,
    decode_part,
    decode_receipt,
    encode_part_asked,
)
from hutong.relay.services.storage.rules.operator_api.refusals import (
    MAX_PROBLEM_BYTES,
    PASSING,
    RefusalCode,
    RequestRefused,
    decode_problem,
)
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange, judged_spans
from hutong.relay.services.storage.rules.repairing import RepairedPart

TOKEN_S: Final = 3_600
TOKEN_SPARE_S: Final = 300
TRIES: Final = 3
RETRY_S: Final = 0.3
DOWN_S: Final = 3.0
"""An operator that could not be reached is not asked for spans for so long: others have what is needed. One that was late is not waited
for as long."""
_STEP: Final = 1 << 18


class OperatorFailed(Exception):
    """An operator did not do what it was asked; one sentence, without a token. `code` is that of its refusal, where it answered one."""

    def __init__(self, sentence: str, code: RefusalCode | None = None) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class KnownOperator:
    """`account` is 20 bytes, as hub or configuration say it."""

    operator: bytes
    url: str
    account: bytes


class OperatorLink:
    """Requests to one operator, under tokens that the writer signs."""

    def __init__(
        self, known: KnownOperator, writer: Writer, client: httpx.AsyncClient, owner: bytes | None = None
    ) -> None:
        """`owner`: of a repairer, whose shards are meant."""
        self.known = known
        self._owned = "" if owner is None else f"owner={owner.hex()}"
        self._writer = writer
        self._client = client
        self._token = ""
        self._token_until_s = 0
        self._signing = trio.Lock()
        self._down_until_s = -1.0
        self._late_until_s = -1.0
        self.taken_over = 0
        """How many shards were found here that another operator was given."""

    @property
    def name(self) -> str:
        """For people: the first half of its id."""
        return self.known.operator.hex()[:16]

    @property
    def is_late(self) -> bool:
        """Whether others were sooner of late, and nothing came from it since: whoever reads asks them at once."""
        return trio.current_time() < self._late_until_s

    def was_late(self) -> None:
        """Others had to be asked for what it did not answer."""
        self._late_until_s = trio.current_time() + DOWN_S

    async def put_shard(self, entry: ShardEntry, octets: memoryview) -> None:
        """Give a shard to the operator. Returns once its receipt is there, and right.

        Raises:
            OperatorFailed: it is not.
        """
        target = (
            f"/v1/shards/{entry.pack.hex()}/{entry.shard}"
            f"?height={entry.height}&root={entry.root.hex()}&retain_until={entry.retain_until_s}{self._and_owner}"
        )

        async def body() -> AsyncIterator[bytes]:
            for at in range(0, len(octets), _STEP):
                yield bytes(octets[at : at + _STEP])

        headers = {"content-type": "application/octet-stream", "content-length": str(len(octets))}
        answer = await self._ask("PUT", target, headers, body)
        try:
            signed = decode_receipt(answer)
            who = (self.known.operator, self.known.account)
            judge_receipt(VERIFY, signed.receipt, signed.signature, self._writer.hub, who, entry)
        except (MalformedInput, PredicateFailed) as error:
            raise OperatorFailed(f"operator {self.name}: its receipt is not right: {error}") from None

    async def sign_part(
        self, sequence: int, entries: Sequence[ShardEntry], repairs: RepairedPart | None = None
    ) -> bytes:
        """The operator's signature under its part of a batch, 65 bytes.

        Args:
            repairs: of a repairer, the part that was lost.

        Raises:
            OperatorFailed: it does not sign, or something else.
        """
        asked = encode_part_asked(sequence, entries, repairs)

        async def body() -> AsyncIterator[bytes]:
            yield asked

        headers = {"content-type": "application/json", "content-length": str(len(asked))}
        answer = await self._ask("POST", f"/v1/parts{self._query}", headers, body)
        expected = OperatorPart(
            self._writer.hub, self._writer.writer, sequence, self.known.operator, batch_part(entries)
        )
        try:
            signed = decode_part(answer)
            if signed.part != expected:
                raise OperatorFailed(f"operator {self.name} signed another part")
            struct_is_signed_by(signed.part, signed.signature, self.known.account)
        except (MalformedInput, PredicateFailed) as error:
            raise OperatorFailed(f"operator {self.name}: its part is not right: {error}") from None
        return signed.signature

    async def spans(
        self, pack: bytes, shard: int, asked: SpanRange, root: bytes, known: Sequence[bytes] | None
    ) -> tuple[list[bytes], memoryview]:
        """Spans of a shard, each judged, and the hashes of its outboard. See `judged_spans`.

        Raises:
            OperatorFailed: it has them not, or others.
        """
        outboard = int(asked.with_outboard)
        target = f"/v1/shards/{pack.hex()}/{shard}/spans?first={asked.first}&count={asked.count}&outboard={outboard}{self._and_owner}"
        if trio.current_time() < self._down_until_s:
            raise OperatorFailed(f"operator {self.name} could not be reached a moment ago")
        answer = await self._ask("GET", target, {}, None, most=max(asked.body_bytes, MAX_PROBLEM_BYTES), tries=1)
        try:
            return judged_spans(VERIFY, asked, answer, root, known)
        except (MalformedInput, PredicateFailed) as error:
            raise OperatorFailed(f"operator {self.name}: shard {shard} of {pack.hex()[:16]}: {error}") from None

    async def placed(self, pack: bytes, shard: int, size: int) -> bytes:
        """The placed entry of a shard under the operator's set of the first `size` batches. It is the hub that judges it.

        Raises:
            OperatorFailed: there is none; with `NOT_PLACED` where no batch of that set has the shard.
        """
        return await self._ask("GET", f"/v1/shards/{pack.hex()}/{shard}/placed?size={size}{self._and_owner}", {}, None)

    async def delete_shard(self, pack: bytes, shard: int, root: bytes) -> SignedDeletion:
        """Have a shard let go. Returns the operator's receipt for that, which is right.

        Raises:
            OperatorFailed: it does not; with `NOT_FOUND` where it never receipted the shard.
        """
        answer = await self._ask("DELETE", f"/v1/shards/{pack.hex()}/{shard}", {}, None)
        try:
            signed = decode_deletion(answer)
            found = signed.deletion
            asked = (self._writer.hub, self.known.operator, pack, shard, root)
            if (found.hub, found.operator, found.pack, found.shard, found.root) != asked:
                raise OperatorFailed(f"operator {self.name} signed the deletion of another shard")
            struct_is_signed_by(found, signed.signature, self.known.account)
        except (MalformedInput, PredicateFailed) as error:
            raise OperatorFailed(f"operator {self.name}: its deletion receipt is not right: {error}") from None
        return signed

    async def state(self, pack: bytes, shard: int) -> Any | None:
        """What the operator says of a shard, as a JSON document; None where it has none.

        Raises:
            OperatorFailed: it does not answer.
        """
        try:
            return await self.document(f"/v1/shards/{pack.hex()}/{shard}{self._query}")
        except OperatorFailed as error:
            if error.code is not RefusalCode.NOT_FOUND:
                raise
            return None

    async def delete(self, pack: bytes, shard: int) -> None:
        """Have a shard dropped that no signed part names.

        Raises:
            OperatorFailed: it is not.
        """
        await self._ask("DELETE", f"/v1/shards/{pack.hex()}/{shard}{self._query}", {}, None)

    async def listed(self, after: bytes | None) -> Any:
        """States of shards from the first pack after a name, as a JSON document.

        Raises:
            OperatorFailed: it does not answer.
        """
        begin = "" if after is None else f"?after={after.hex()}"
        return await self.document(f"/v1/shards{begin}{self._and_owner if begin else self._query}")

    @property
    def _query(self) -> str:
        return f"?{self._owned}" if self._owned else ""

    @property
    def _and_owner(self) -> str:
        return f"&{self._owned}" if self._owned else ""

    async def document(self, target: str) -> Any:
        """A JSON document of the operator, such as `/v1/operator`.

        Raises:
            OperatorFailed: it does not answer, or not with JSON.
        """
        try:
            return parse_json(await self.octets(target), "operator", MAX_ANSWER_JSON_BYTES)
        except MalformedInput as error:
            raise OperatorFailed(f"operator {self.name}: {error}") from None

    async def octets(self, target: str, *, is_owned: bool = False) -> bytes:
        """The body of an answer.

        Args:
            is_owned: name the owner whose shards are meant.

        Raises:
            OperatorFailed: it does not answer.
        """
        return await self._ask("GET", target + (self._query if is_owned else ""), {}, None)

    async def _ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: Any,
        most: int = MAX_ANSWER_JSON_BYTES,
        tries: int = TRIES,
    ) -> bytes:
        """An answer's body. What may pass is asked again: every request here is idempotent."""
        last = ""
        code: RefusalCode | None = None
        for attempt in range(tries):
            if attempt:
                await trio.sleep(RETRY_S * attempt)
            try:
                return await self._once(method, target, headers, body, most)
            except httpx.HTTPError as error:
                last, code = f"does not answer ({type(error).__name__})", None
                self._down_until_s = trio.current_time() + DOWN_S
            except RequestRefused as refused:
                last, code = f"refuses: {refused}", refused.code
                if refused.code not in PASSING:
                    break
        raise OperatorFailed(f"operator {self.name} {last}", code)

    async def _once(self, method: str, target: str, headers: dict[str, str], body: Any, most: int) -> bytes:
        token = await self._current_token()
        content = None if body is None else body()
        sent = {**headers, "authorization": f"{SCHEME}{token}", "accept-encoding": "identity"}
        found = bytearray()
        async with self._client.stream(method, self.known.url + target, headers=sent, content=content) as answer:
            async for piece in answer.aiter_raw():
                found += piece
                if len(found) > most:
                    raise OperatorFailed(f"operator {self.name} answers more than {most} bytes")
            if answer.status_code not in (200, 201):
                raise decode_problem(bytes(found), answer.status_code)
        self._down_until_s = self._late_until_s = -1.0
        return bytes(found)

    async def _current_token(self) -> str:
        async with self._signing:
            now_s = self._writer.now_s()
            if now_s + TOKEN_SPARE_S > self._token_until_s:
                until_s = now_s + TOKEN_S
                rights = int(Rights.READ | Rights.WRITE)
                access = StorageAccess(self._writer.hub, self._writer.writer, self.known.operator, rights, until_s)
                self._token = encode_token(SignedAccess(access, await self._writer.sign(access)))
                self._token_until_s = until_s
            return self._token
