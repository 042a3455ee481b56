"""`TrioHutong`: the API under trio."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

import httpx
import trio

from hutong.relay.schemas.cases import CaseRun
from hutong.relay.schemas.identity import Organisation, OrganisationFile
from hutong.relay.schemas.messages import CheckedProof as Proof
from hutong.relay.schemas.messages import DeadLetter, Message, MessageSummary, TransactionStatus, Why
from hutong.relay.schemas.messages import SearchResult as Found
from hutong.relay.schemas.network import Chain, Path, Route
from hutong.relay.schemas.network import Client as LightClient
from hutong.relay.schemas.network import TokenList as Tokens
from hutong.relay.schemas.operation import Series, Status, Totals, Window
from hutong.relay.schemas.records import Observation, ReaderProof, Record
from hutong.relay.schemas.sending import Submitted
from hutong.relay.sdk import calls, following
from hutong.relay.sdk.calls import Call, FilterFields, Filters
from hutong.relay.sdk.connecting import DEFAULT_TIMEOUT_S, Body, Server, answer_of, error_of, request_of, tls_of
from hutong.relay.sdk.errors import HutongError, TooSlow
from hutong.relay.sdk.following import Event
from hutong.relay.sdk.listing import MAX_PAGE, all_dead_letters, all_messages, all_observations, all_organisations
from hutong.relay.sdk.plan import Answer, Close, Ended, Exchange, Give, NextChunk, Open, Pause, Plan, Step, ask
from hutong.relay.sdk.sending import Demand, MessageDemand, Prepared, Sent, TransferDemand
from hutong.relay.sdk.signing import Account, sign_and_submit

Result = TypeVar("Result")


class TrioHutong:
    """One server's API, as `Hutong` has it. Close it, or use it as an async context manager; many tasks may share one.

    Deadlines are the caller's (`trio.fail_after`); `timeout_s` bounds each exchange besides. A caller that leaves an
    iteration early does it in `contextlib.aclosing`, so that its connection is closed then and not some time later.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = Server.of(url, api_key, timeout_s)
        self._http = httpx.AsyncClient(**self._server.options(), verify=tls_of(self._server, tls))

    def __repr__(self) -> str:
        return f"TrioHutong({self._server.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. The client cannot be used after that."""
        await self._http.aclose()

    async def status(self) -> Status:
        """The server's version and time, its ledger's schema, and how many chains and paths it has."""
        return await self._run(ask(calls.status()))

    async def totals(self) -> Totals:
        """Sums over everything that the ledger keeps, at most some seconds older than the answer."""
        return await self._run(ask(calls.totals()))

    async def series(self, window: Window = "1h") -> Series:
        """Throughput and latency by time, oldest first.

        Raises:
            InvalidArgument: `window` is not `1h`, `24h` or `7d`.
        """
        return await self._run(ask(calls.series(window)))

    def dead_letters(self, *, page_items: int = MAX_PAGE) -> AsyncGenerator[DeadLetter, None]:
        """Steps that the relay gave up, newest first, with the reason and what to do.

        Args:
            page_items: how many are read in one exchange, 1 to 100.
        """
        return self._iterate(all_dead_letters(page_items))

    async def chains(self) -> tuple[Chain, ...]:
        """The configured chains with their newest final heights."""
        return (await self._run(ask(calls.chains()))).items

    async def clients(self) -> tuple[LightClient, ...]:
        """The light clients of the configured paths, as the chains say they are."""
        return (await self._run(ask(calls.clients()))).items

    async def paths(self) -> tuple[Path, ...]:
        """The configured paths with their two ends."""
        return (await self._run(ask(calls.paths()))).items

    async def routes(self, source: str, destination: str) -> tuple[Route, ...]:
        """Every way of at most two hops between two chains, direct ones first.

        Args:
            source, destination: names of chains, as `chains` has them.

        Raises:
            ApiProblem: `invalid_request` for a chain that is not configured.
        """
        return (await self._run(ask(calls.routes(source, destination)))).items

    async def tokens(self, chain: str | None = None) -> Tokens:
        """Tokens and their vouchers. Iterate over it; `complete` says whether it is all.

        Args:
            chain: only those that this chain has, by its name; None for all chains.

        Raises:
            ApiProblem: `invalid_request` for a chain that is not configured.
        """
        return await self._run(ask(calls.tokens(chain)))

    def messages(
        self, *, page_items: int = MAX_PAGE, **filters: Unpack[FilterFields]
    ) -> AsyncGenerator[MessageSummary, None]:
        """Messages for which every given filter holds, newest first; pages are read as they are used up.

        Args:
            page_items: how many are read in one exchange, 1 to 100.
            filters: exact values; `since` is in the range of sending times, `until` is not, and both need a time zone.

        Raises:
            InvalidArgument: at the first item, a time without a zone or another page size.
            ApiProblem: at the first item, a chain that the server does not know.
        """
        return self._iterate(all_messages(Filters(**filters), page_items))

    async def message(self, name: str) -> Message:
        """Everything about one message.

        Args:
            name: the packet id of any leg, or the Mailbox id (`0x` and 64 hex digits).

        Raises:
            ApiProblem: `not_found`.
        """
        return await self._run(ask(calls.message(name)))

    async def why(self, name: str) -> Why:
        """Why a message is where it is, and what to do about it.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`.
        """
        return await self._run(ask(calls.why(name)))

    async def proofs(self, name: str) -> tuple[Proof, ...]:
        """The kept evidence of each step of a message, which the server says it judged again.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`.
        """
        return (await self._run(ask(calls.proofs(name)))).items

    async def bundle(self, name: str) -> bytes:
        """The proof bundle of a message, for `hutong audit verify`: the only answer here that proves anything.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`, or `not_exportable` until there is a bundle.
        """
        return await self._run(ask(calls.bundle(name)))

    def observations(self, hub: str | None = None, *, page_items: int = MAX_PAGE) -> AsyncGenerator[Observation, None]:
        """What a hub observes of other chains, in the order of keys; pages are read as they are used up.

        Args:
            hub: its name; None where one is configured.
            page_items: how many are read in one exchange, 1 to 100.

        Raises:
            InvalidArgument: at the first item, another page size.
            ApiProblem: at the first item, `not_found` without a hub, `invalid_request` for a name that is none.
        """
        return self._iterate(all_observations(hub, page_items))

    async def record(self, key: str, hub: str | None = None) -> Record:
        """One key of a hub's state, as its node says; `record_bundle` proves it.

        Args:
            key: `0x` and hex, as `observations` have it.
            hub: its name; None where one is configured.

        Raises:
            InvalidArgument: the key is not 1 to 200 bytes.
            ApiProblem: as `observations`.
        """
        return await self._run(ask(calls.record(key, hub)))

    async def record_bundle(self, key: str, hub: str | None = None) -> bytes:
        """The record bundle of a key under the hub's newest header, for `hutong audit record`.

        Args:
            key, hub: as for `record`.

        Raises:
            InvalidArgument: as `record`.
            ApiProblem: as `observations`, or `not_exportable`.
        """
        return await self._run(ask(calls.record_bundle(key, hub)))

    async def reads(self, chain: str, keys: Sequence[str], *, client: str | None = None) -> ReaderProof:
        """Records of a hub with one proof, for a HubReader: `hutong.sdk.hub_reader` makes calls of it.

        The proof is under the newest header that the chain has of the hub; the contract believes it, and not the server.

        Args:
            chain: whose contract reads, as `chains` has it.
            keys: 1 to 16, as for `record`; epochs of their clients come along.
            client: of the hub on that chain; None where one path leads from it to one hub.

        Raises:
            InvalidArgument: not 1 to 16 keys, or one that is no key.
            ApiProblem: `invalid_request` without such a path, `not_exportable` where the hub's node shows something else.
        """
        return await self._run(ask(calls.reads(chain, keys, client)))

    def organisations(
        self, hub: str | None = None, *, page_items: int = MAX_PAGE
    ) -> AsyncGenerator[Organisation, None]:
        """Organisations of a hub in the order of their DIDs; pages are read as they are used up.

        Args:
            hub: its name; None where one is configured.
            page_items: how many are read in one exchange, 1 to 100.

        Raises:
            InvalidArgument: at the first item, another page size.
            ApiProblem: at the first item, `not_found` without a hub, `not_supported` where it keeps no identity.
        """
        return self._iterate(all_organisations(hub, page_items))

    async def organisation(self, did: str, hub: str | None = None) -> OrganisationFile:
        """All that a hub's node tells of one organisation; `organisation_bundle` proves it.

        Raises:
            InvalidArgument: not a `did:hutong`.
            ApiProblem: `not_found`.
        """
        return await self._run(ask(calls.organisation(did, hub)))

    async def organisation_bundle(self, did: str, *, schema: str | None = None, hub: str | None = None) -> bytes:
        """All records of an organisation under one header, for `hutong identity check`.

        Args:
            did: of the organisation.
            schema: `0x` and the SHA-256 of a schema: its chain of accreditations is shown, too.
            hub: its name; None where one is configured.

        Raises:
            InvalidArgument: as `organisation`, or another schema.
            ApiProblem: `not_exportable`.
        """
        return await self._run(ask(calls.organisation_bundle(did, schema, hub)))

    async def cases(self) -> tuple[CaseRun, ...]:
        """Application cases of the relay's city with their last run, ascending by number.

        Raises:
            ApiProblem: `not_found` where the relay serves none.
        """
        return (await self._run(ask(calls.cases()))).items

    async def case_evidence(self, name: str) -> bytes:
        """What the last run of a case left, for `hutong audit case`, which judges it.

        Args:
            name: of a case, as `cases` has it.

        Raises:
            InvalidArgument: it does not look like one.
            ApiProblem: `not_found`.
        """
        return await self._run(ask(calls.case_evidence(name)))

    async def search(self, text: str) -> Found:
        """What a person may mean by `text`: a packet id, a hash, an address or a chain's name; at most 50 messages."""
        return await self._run(ask(calls.search(text)))

    async def transaction(self, chain: str, transaction_hash: str) -> TransactionStatus:
        """How a transaction stands on its chain, and which messages it sent, delivered or settled.

        Args:
            chain: a name, as `chains` has it.
            transaction_hash: `0x` and 64 hex digits.

        Raises:
            InvalidArgument: one of them does not look like that.
            ApiProblem: `invalid_request` for a chain that is not configured, `chain_unavailable` if it does not answer.
        """
        return await self._run(ask(calls.transaction(chain, transaction_hash)))

    async def prepare_transfer(
        self,
        source: str,
        destination: str,
        *,
        token: str,
        amount: int,
        sender: str,
        receiver: str,
        timeout_s: int = 3_600,
        memo: str = "",
        via: str | None = None,
        client: str | None = None,
        next_client: str | None = None,
    ) -> Prepared:
        """Ask for the transactions that send tokens. Nothing is signed or sent.

        Args:
            source, destination: names of chains, as `chains` has them.
            token: an address or denomination of `source`, or a trace.
            amount: in the token's smallest unit, at least 1.
            sender, receiver: addresses of `source` and of `destination`.
            timeout_s: how long from now on the tokens may take; after that they are refunded.
            memo: must be empty on a way over a hub, whose instruction it is.
            via, client, next_client: choose among several ways; None leaves the choice to the server.

        Raises:
            InvalidArgument: refused before anything is asked.
            ApiProblem: the server refuses it, with the field at fault.
        """
        return await self._prepare(
            TransferDemand(
                source, destination, token, amount, sender, receiver, timeout_s, memo, via, client, next_client
            )
        )

    async def prepare_message(
        self,
        source: str,
        destination: str,
        *,
        sender: str,
        receiver: str,
        payload: bytes,
        timeout_s: int = 3_600,
        via: str | None = None,
        client: str | None = None,
        next_client: str | None = None,
        receive_gas: int | None = None,
    ) -> Prepared:
        """Ask for the transactions that send a message. Nothing is signed or sent.

        Args:
            source, destination: names of chains, as `chains` has them.
            sender: an address of `source`.
            receiver: a contract of `destination` with `onMessage`.
            payload: 1 byte or more, as the receiver gets it.
            timeout_s: how long from now on the message may take; after that it times out.
            via, client, next_client: choose among several ways; None leaves the choice to the server.
            receive_gas: what the receiver needs, if that is more than a relay gives unasked: 1.5 million for the whole
                receive.

        Raises:
            InvalidArgument: refused before anything is asked.
            ApiProblem: the server refuses it, with the field at fault.
        """
        return await self._prepare(
            MessageDemand(
                source, destination, sender, receiver, payload, timeout_s, via, client, next_client, receive_gas
            )
        )

    async def submit(self, chain: str, raw: bytes | str, idempotency_key: str) -> Submitted:
        """Hand a signed transaction to the chain.

        Args:
            chain: a name, as `chains` has it.
            raw: the signed bytes, or `0x` and their hex.
            idempotency_key: the same key with the same transaction sends nothing twice.

        Raises:
            ApiProblem: `refused_by_chain`, or `conflict` if the key was used for another transaction.
        """
        return await self._run(ask(calls.submit(chain, raw, idempotency_key)))

    async def sign_and_submit(
        self, prepared: Prepared, account: Account, *, max_cost_wei: int | None = None, within_s: float = 120
    ) -> Sent:
        """Sign each transaction with the caller's own account, send it, and wait until the ledger knows the message.

        Args:
            max_cost_wei: the most that all transactions together may cost; None sets no limit.
            within_s: how long all of it may take; an exchange that has begun may end after it.

        Raises:
            NotSigned: it is not the account's, or may cost more than `max_cost_wei`.
            TransactionFailed: a transaction reverted; what was sent before it stays sent.
            TooSlow: after `within_s`; what was sent stays sent.
        """
        return await self._run(sign_and_submit(prepared, account, max_cost_wei, within_s, trio.current_time))

    def follow(
        self, name: str, *, appears_within_s: float = 30, timeout_s: float | None = None
    ) -> AsyncGenerator[MessageSummary, None]:
        """How a message stands, and each change, until it is settled; over as many connections as it takes.

        Args:
            name: as for `message`.
            appears_within_s: how long the ledger may take to learn of it.
            timeout_s: how long all of it may take; None waits for good.

        Raises:
            ApiProblem: `not_found`, once `appears_within_s` has passed.
            TooSlow: after `timeout_s`.
        """
        return self._iterate(following.follow(name, appears_within_s, timeout_s, trio.current_time))

    def events(self, after: str | None = None) -> AsyncGenerator[Event, None]:
        """Everything that changes from now on, or from after a cursor; it never ends by itself.

        Args:
            after: `cursor` of the last MessageChanged that was seen.

        Raises:
            Unreachable, TooSlow, ApiProblem: several connections in a row brought nothing new.
        """
        return self._iterate(following.watch(after, trio.current_time))

    async def _prepare(self, demand: Demand) -> Prepared:
        made = await self._run(ask(calls.prepare(demand)))
        return Prepared(demand, made.route, made.transactions, made.sends, made.expires_at, made.warnings)

    async def _run(self, plan: Plan[Result]) -> Result:
        """To its end; a plan that gives nothing on the way."""
        ended = Ended(plan)
        async with aclosing(self._iterate(ended.plan())) as given:
            async for _ in given:
                raise AssertionError("a plan that answers once gave a second value")
        return cast(Result, ended.value)

    async def _iterate(self, plan: Plan[Any]) -> AsyncGenerator[Any, None]:
        line = _Line(self._http)
        outcome: Any = None
        failure: HutongError | None = None
        try:
            while True:
                try:
                    step = plan.send(outcome) if failure is None else plan.throw(failure)
                except StopIteration:
                    return
                outcome = failure = None
                if isinstance(step, Give):
                    yield step.value
                    continue
                try:
                    outcome = await self._take(step, line)
                except HutongError as error:
                    failure = error
        finally:
            await line.close()

    async def _take(self, step: Step, line: "_Line") -> Any:
        if isinstance(step, Exchange):
            return await self._exchange(step.call)
        if isinstance(step, Open):
            return await line.open(step.call, self._server.limit_s(step.call))
        if isinstance(step, NextChunk):
            return await line.next_chunk(step.limit_s)
        if isinstance(step, Pause):
            await trio.sleep(step.for_s)
        elif isinstance(step, Close):
            await line.close()
        return None

    async def _exchange(self, call: Call[Any]) -> Answer:
        line = _Line(self._http)
        try:
            return await line.exchange(call, self._server.limit_s(call))
        finally:
            await line.close()


class _Line:
    """One answer at a time, read as it comes."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def exchange(self, call: Call[Any], limit_s: float) -> Answer:
        """The whole answer."""
        async with _within(call.what, limit_s):
            response, chunks = await self._send(call)
            return await _whole(call, response, chunks)

    async def open(self, call: Call[Any], limit_s: float) -> Answer:
        """The head of the answer alone, if the stream was not refused."""
        await self.close()
        async with _within(call.what, limit_s):
            response, chunks = await self._send(call)
            return answer_of(response, b"") if response.is_success else await _whole(call, response, chunks)

    async def next_chunk(self, limit_s: float) -> bytes:
        if self._chunks is None:
            return b""
        async with _within("the next event", limit_s):
            return await anext(self._chunks, b"")

    async def close(self) -> None:
        """Hang up, unless the answer has ended.

        httpx reads through generators in generators, and only their end or an exception leaves none of them suspended
        for the garbage collector: so the reading goes on, cancelled, and httpx closes the connection at its first wait.
        """
        response, chunks = self._response, self._chunks
        self._response = self._chunks = None
        if response is None or chunks is None or response.is_closed:
            return
        with trio.CancelScope(shield=True), suppress(httpx.HTTPError, httpx.StreamError):
            with trio.CancelScope() as reading:
                reading.cancel()
                async for _ in chunks:
                    pass
            await response.aclose()

    async def _send(self, call: Call[Any]) -> tuple[httpx.Response, AsyncIterator[bytes]]:
        request = self._http.build_request(**request_of(call), timeout=None)
        request.stream = _Whole(call.body or b"")
        self._response = await self._http.send(request, stream=True)
        self._chunks = self._response.aiter_raw()
        return self._response, self._chunks


class _Whole(httpx.AsyncByteStream):
    """A body in one piece. httpx's own is a generator, which a server that answers early leaves suspended."""

    def __init__(self, body: bytes) -> None:
        self._parts = [body] if body else []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._parts:
            raise StopAsyncIteration
        return self._parts.pop()


async def _whole(call: Call[Any], response: httpx.Response, chunks: AsyncIterator[bytes]) -> Answer:
    body = Body(call, response)
    async for chunk in chunks:
        body.add(chunk)
    return body.answer(response)


@asynccontextmanager
async def _within(what: str, limit_s: float) -> AsyncGenerator[None, None]:
    """Errors of httpx and of time as ours."""
    try:
        with trio.fail_after(limit_s):
            yield
    except trio.TooSlowError:
        raise TooSlow(what, limit_s) from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise error_of(error, what, limit_s) from None
