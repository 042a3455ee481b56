"""`Hutong`: the API for programs without an event loop."""

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

import httpx

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
from hutong.relay.sdk.connecting import DEFAULT_TIMEOUT_S, Body, Server, error_of, request_of, tls_of
from hutong.relay.sdk.deadline import transport, within
from hutong.relay.sdk.errors import HutongError
from hutong.relay.sdk.following import Event
from hutong.relay.sdk.listing import MAX_PAGE, all_dead_letters, all_messages, all_observations, all_organisations
from hutong.relay.sdk.plan import Answer, Close, Ended, Exchange, Give, NextChunk, Open, Pause, Plan, Step, ask
from hutong.relay.sdk.sending import Demand, MessageDemand, Prepared, Sent, TransferDemand
from hutong.relay.sdk.signing import Account, sign_and_submit

Result = TypeVar("Result")


class Hutong:
    """One server's API. Close it, or use it as a context manager. One thread at a time.

    `timeout_s` bounds each exchange, from its first byte to its last. Every method raises HutongError's classes, of
    them ApiProblem for the API's own refusals; 429 and 503 are tried again up to three times first.
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
        self._http = httpx.Client(**self._server.options(), transport=transport(tls_of(self._server, tls)))

    def __repr__(self) -> str:
        return f"Hutong({self._server.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client cannot be used after that."""
        self._http.close()

    def status(self) -> Status:
        """The server's version and time, its ledger's schema, and how many chains and paths it has."""
        return self._run(ask(calls.status()))

    def totals(self) -> Totals:
        """Sums over everything that the ledger keeps, at most some seconds older than the answer."""
        return self._run(ask(calls.totals()))

    def series(self, window: Window = "1h") -> Series:
        """Throughput and latency by time, oldest first.

        Raises:
            InvalidArgument: `window` is not `1h`, `24h` or `7d`.
        """
        return self._run(ask(calls.series(window)))

    def dead_letters(self, *, page_items: int = MAX_PAGE) -> Iterator[DeadLetter]:
        """Steps that the relay gave up, newest first, with the reason and what to do.

        Args:
            page_items: how many are read in one exchange, 1 to 100.
        """
        return self._iterate(all_dead_letters(page_items))

    def chains(self) -> tuple[Chain, ...]:
        """The configured chains with their newest final heights."""
        return self._run(ask(calls.chains())).items

    def clients(self) -> tuple[LightClient, ...]:
        """The light clients of the configured paths, as the chains say they are."""
        return self._run(ask(calls.clients())).items

    def paths(self) -> tuple[Path, ...]:
        """The configured paths with their two ends."""
        return self._run(ask(calls.paths())).items

    def routes(self, source: str, destination: str) -> tuple[Route, ...]:
        """Every way of at most two hops between two chains, direct ones first.

        Args:
            source, destination: names of chains, as `chains` has them.

        Raises:
            ApiProblem: `invalid_request` for a chain that is not configured.
        """
        return self._run(ask(calls.routes(source, destination))).items

    def tokens(self, chain: str | None = None) -> Tokens:
        """Tokens and their vouchers. Iterate over it; `complete` says whether it is all.

        Args:
            chain: only those that this chain has, by its name; None for all chains.

        Raises:
            ApiProblem: `invalid_request` for a chain that is not configured.
        """
        return self._run(ask(calls.tokens(chain)))

    def messages(self, *, page_items: int = MAX_PAGE, **filters: Unpack[FilterFields]) -> Iterator[MessageSummary]:
        """Messages for which every given filter holds, newest first; pages are read as they are used up.

        Args:
            page_items: how many are read in one exchange, 1 to 100.
            filters: exact values; `since` is in the range of sending times, `until` is not, and both need a time zone.

        Raises:
            InvalidArgument: at the first item, a time without a zone or another page size.
            ApiProblem: at the first item, a chain that the server does not know.
        """
        return self._iterate(all_messages(Filters(**filters), page_items))

    def message(self, name: str) -> Message:
        """Everything about one message.

        Args:
            name: the packet id of any leg, or the Mailbox id (`0x` and 64 hex digits).

        Raises:
            ApiProblem: `not_found`.
        """
        return self._run(ask(calls.message(name)))

    def why(self, name: str) -> Why:
        """Why a message is where it is, and what to do about it.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`.
        """
        return self._run(ask(calls.why(name)))

    def proofs(self, name: str) -> tuple[Proof, ...]:
        """The kept evidence of each step of a message, which the server says it judged again.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`.
        """
        return self._run(ask(calls.proofs(name))).items

    def bundle(self, name: str) -> bytes:
        """The proof bundle of a message, for `hutong audit verify`: the only answer here that proves anything.

        Args:
            name: as for `message`.

        Raises:
            ApiProblem: `not_found`, or `not_exportable` until there is a bundle.
        """
        return self._run(ask(calls.bundle(name)))

    def observations(self, hub: str | None = None, *, page_items: int = MAX_PAGE) -> Iterator[Observation]:
        """What a hub observes of other chains, in the order of keys; pages are read as they are used up.

        Args:
            hub: its name; None where one is configured.
            page_items: how many are read in one exchange, 1 to 100.

        Raises:
            InvalidArgument: at the first item, another page size.
            ApiProblem: at the first item, `not_found` without a hub, `invalid_request` for a name that is none.
        """
        return self._iterate(all_observations(hub, page_items))

    def record(self, key: str, hub: str | None = None) -> Record:
        """One key of a hub's state, as its node says; `record_bundle` proves it.

        Args:
            key: `0x` and hex, as `observations` have it.
            hub: its name; None where one is configured.

        Raises:
            InvalidArgument: the key is not 1 to 200 bytes.
            ApiProblem: as `observations`.
        """
        return self._run(ask(calls.record(key, hub)))

    def record_bundle(self, key: str, hub: str | None = None) -> bytes:
        """The record bundle of a key under the hub's newest header, for `hutong audit record`.

        Args:
            key, hub: as for `record`.

        Raises:
            InvalidArgument: as `record`.
            ApiProblem: as `observations`, or `not_exportable`.
        """
        return self._run(ask(calls.record_bundle(key, hub)))

    def reads(self, chain: str, keys: Sequence[str], *, client: str | None = None) -> ReaderProof:
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
        return self._run(ask(calls.reads(chain, keys, client)))

    def organisations(self, hub: str | None = None, *, page_items: int = MAX_PAGE) -> Iterator[Organisation]:
        """Organisations of a hub in the order of their DIDs; pages are read as they are used up.

        Args:
            hub: its name; None where one is configured.
            page_items: how many are read in one exchange, 1 to 100.

        Raises:
            InvalidArgument: at the first item, another page size.
            ApiProblem: at the first item, `not_found` without a hub, `not_supported` where it keeps no identity.
        """
        return self._iterate(all_organisations(hub, page_items))

    def organisation(self, did: str, hub: str | None = None) -> OrganisationFile:
        """All that a hub's node tells of one organisation; `organisation_bundle` proves it.

        Raises:
            InvalidArgument: not a `did:hutong`.
            ApiProblem: `not_found`.
        """
        return self._run(ask(calls.organisation(did, hub)))

    def organisation_bundle(self, did: str, *, schema: str | None = None, hub: str | None = None) -> bytes:
        """All records of an organisation under one header, for `hutong identity check`.

        Args:
            did: of the organisation.
            schema: `0x` and the SHA-256 of a schema: its chain of accreditations is shown, too.
            hub: its name; None where one is configured.

        Raises:
            InvalidArgument: as `organisation`, or another schema.
            ApiProblem: `not_exportable`.
        """
        return self._run(ask(calls.organisation_bundle(did, schema, hub)))

    def cases(self) -> tuple[CaseRun, ...]:
        """Application cases of the relay's city with their last run, ascending by number.

        Raises:
            ApiProblem: `not_found` where the relay serves none.
        """
        return (self._run(ask(calls.cases()))).items

    def case_evidence(self, name: str) -> bytes:
        """What the last run of a case left, for `hutong audit case`, which judges it.

        Args:
            name: of a case, as `cases` has it.

        Raises:
            InvalidArgument: it does not look like one.
            ApiProblem: `not_found`.
        """
        return self._run(ask(calls.case_evidence(name)))

    def search(self, text: str) -> Found:
        """What a person may mean by `text`: a packet id, a hash, an address or a chain's name; at most 50 messages."""
        return self._run(ask(calls.search(text)))

    def transaction(self, chain: str, transaction_hash: str) -> TransactionStatus:
        """How a transaction stands on its chain, and which messages it sent, delivered or settled.

        Args:
            chain: a name, as `chains` has it.
            transaction_hash: `0x` and 64 hex digits.

        Raises:
            InvalidArgument: one of them does not look like that.
            ApiProblem: `invalid_request` for a chain that is not configured, `chain_unavailable` if it does not answer.
        """
        return self._run(ask(calls.transaction(chain, transaction_hash)))

    def prepare_transfer(
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
        return self._prepare(
            TransferDemand(
                source, destination, token, amount, sender, receiver, timeout_s, memo, via, client, next_client
            )
        )

    def prepare_message(
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
        return self._prepare(
            MessageDemand(
                source, destination, sender, receiver, payload, timeout_s, via, client, next_client, receive_gas
            )
        )

    def submit(self, chain: str, raw: bytes | str, idempotency_key: str) -> Submitted:
        """Hand a signed transaction to the chain.

        Args:
            chain: a name, as `chains` has it.
            raw: the signed bytes, or `0x` and their hex.
            idempotency_key: the same key with the same transaction sends nothing twice.

        Raises:
            ApiProblem: `refused_by_chain`, or `conflict` if the key was used for another transaction.
        """
        return self._run(ask(calls.submit(chain, raw, idempotency_key)))

    def sign_and_submit(
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
        return self._run(sign_and_submit(prepared, account, max_cost_wei, within_s, time.monotonic))

    def follow(
        self, name: str, *, appears_within_s: float = 30, timeout_s: float | None = None
    ) -> Iterator[MessageSummary]:
        """How a message stands, and each change, until it is settled; over as many connections as it takes.

        Args:
            name: as for `message`.
            appears_within_s: how long the ledger may take to learn of it.
            timeout_s: how long all of it may take; None waits for good.

        Raises:
            ApiProblem: `not_found`, once `appears_within_s` has passed.
            TooSlow: after `timeout_s`.
        """
        return self._iterate(following.follow(name, appears_within_s, timeout_s, time.monotonic))

    def events(self, after: str | None = None) -> Iterator[Event]:
        """Everything that changes from now on, or from after a cursor; it never ends by itself.

        Args:
            after: `cursor` of the last MessageChanged that was seen.

        Raises:
            Unreachable, TooSlow, ApiProblem: several connections in a row brought nothing new.
        """
        return self._iterate(following.watch(after, time.monotonic))

    def _prepare(self, demand: Demand) -> Prepared:
        made = self._run(ask(calls.prepare(demand)))
        return Prepared(demand, made.route, made.transactions, made.sends, made.expires_at, made.warnings)

    def _run(self, plan: Plan[Result]) -> Result:
        """To its end; a plan that gives nothing on the way."""
        ended = Ended(plan)
        for _ in self._iterate(ended.plan()):
            raise AssertionError("a plan that answers once gave a second value")
        return cast(Result, ended.value)

    def _iterate(self, plan: Plan[Any]) -> Iterator[Any]:
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
                    outcome = self._take(step, line)
                except HutongError as error:
                    failure = error
        finally:
            line.close()

    def _take(self, step: Step, line: "_Line") -> Any:
        if isinstance(step, Exchange):
            return self._exchange(step.call)
        if isinstance(step, Open):
            return line.open(step.call, self._server.limit_s(step.call))
        if isinstance(step, NextChunk):
            return line.next_chunk(step.limit_s)
        if isinstance(step, Pause):
            time.sleep(step.for_s)
        elif isinstance(step, Close):
            line.close()
        return None

    def _exchange(self, call: Call[Any]) -> Answer:
        limit_s = self._server.limit_s(call)
        try:
            with within(limit_s), self._http.stream(**request_of(call), timeout=None) as response:
                body = Body(call, response)
                for chunk in response.iter_raw():
                    body.add(chunk)
                return body.answer(response)
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise error_of(error, call.what, limit_s) from None


class _Line:
    """The open stream, if there is one."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def open(self, call: Call[Any], limit_s: float) -> Answer:
        self.close()
        try:
            with within(limit_s):
                request = self._http.build_request(**request_of(call), timeout=None)
                self._response = self._http.send(request, stream=True)
                self._chunks = self._response.iter_raw()
                body = Body(call, self._response)
                if not self._response.is_success:
                    for chunk in self._chunks:
                        body.add(chunk)
                return body.answer(self._response)
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise error_of(error, call.what, limit_s) from None

    def next_chunk(self, limit_s: float) -> bytes:
        try:
            with within(limit_s):
                return next(self._chunks, b"")
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise error_of(error, "the next event", limit_s) from None

    def close(self) -> None:
        response, self._response, self._chunks = self._response, None, iter(())
        if response is not None:
            with suppress(httpx.HTTPError, httpx.StreamError):
                response.close()
