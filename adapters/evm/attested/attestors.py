"""Asking a set of attestors, and what m of them say alike (attack list D11, D12)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from hutong.adapters.evm.attested.attestor_api import (
    MAX_ANSWER_BYTES,
    MAX_PATHS,
    PATH,
    AttestationAnswer,
    AttestationRequest,
    AttestorRefused,
    decode_answer,
    encode_request,
    shown,
)
from hutong.adapters.interface import (
    BadAnswer,
    EndpointError,
    EndpointStatistics,
    EndpointUnavailable,
    HeightUnavailable,
)
from hutong.adapters.rpc import AttemptFailed, Endpoint, RpcOptions, named_endpoints, statistics_of
from hutong.adapters.rpc.transport import HttpClient, post
from hutong.light_clients.attestation import (
    Attestation,
    AttestationKind,
    ClientState,
    PacketAttestation,
    PacketEntry,
    StateAttestation,
    StateRootAttestation,
    encode_packets,
    encode_state,
    encode_state_root,
    recover_attestor,
    signing_digest,
)
from hutong.light_clients.interface import MalformedInput

OPERATION = "attestations"
Value = TypeVar("Value", int, bytes)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should look at, though the adapter goes on without it. `what` is from a closed set."""

    chain: str
    what: str
    detail: str


DISAGREEMENT = "attestor_disagrees"
STRANGER = "attestor_unknown"
CONTRADICTED = "attestors_contradict_node"

OnAlert = Callable[[Alert], None]


@dataclass(frozen=True, slots=True)
class Attested:
    """What enough attestors signed alike, as the client takes it: each packet with an attestation of its own."""

    state: StateAttestation
    update: Attestation
    packets: tuple[tuple[PacketEntry, Attestation], ...]
    root: tuple[StateRootAttestation, Attestation] | None = None
    """Where it was asked for."""

    @property
    def said(self) -> tuple[StateAttestation, tuple[PacketEntry, ...], StateRootAttestation | None]:
        """What was signed, whoever signed it."""
        return self.state, tuple(entry for entry, _ in self.packets), None if self.root is None else self.root[0]


@dataclass(frozen=True, slots=True)
class _Heard:
    """One attestor's answer with every signature judged."""

    name: str
    signer: bytes
    answer: AttestationAnswer


class _Tally(Generic[Value]):
    """What was said about one thing, and who signed it."""

    def __init__(self, required: int, show: Callable[[Value], str]) -> None:
        self._required = required
        self._show: Callable[[Value], str] = show
        self._said: dict[Value, dict[bytes, bytes]] = {}

    def add(self, value: Value, signer: bytes, signature: bytes) -> None:
        self._said.setdefault(value, {})[signer] = signature

    def agreed(self) -> Value | None:
        """What enough signed alike. Never two values: a threshold is more than half of the set."""
        return next((value for value, by in self._said.items() if len(by) >= self._required), None)

    def signatures(self, value: Value) -> tuple[bytes, ...]:
        """As many as are asked for, since each costs gas; in order of their signers."""
        by_signer = self._said[value]
        return tuple(by_signer[signer] for signer in sorted(by_signer)[: self._required])

    def disagreements(self) -> Iterable[tuple[bytes, str]]:
        """(signer, what it signed) of all who do not say what enough others say."""
        if len(self._said) < 2:
            return
        agreed = self.agreed()
        for value, by in self._said.items():
            if value != agreed:
                for signer, signature in by.items():
                    others = "no quorum" if agreed is None else self._show(agreed)
                    yield signer, f"signed {self._show(value)}, the others {others} (signature 0x{signature.hex()})"


class AttestorPanel:
    """The configured attestors of one source chain. Holds their health, nothing else."""

    def __init__(
        self, chain: str, urls: Sequence[str], http: HttpClient, options: RpcOptions, on_alert: OnAlert
    ) -> None:
        self._chain = chain
        self._endpoints = named_endpoints([url.rstrip("/") + PATH for url in urls], options)
        self._http = http
        self._options = options
        self._on_alert = on_alert

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of every attestor's endpoint."""
        return statistics_of(self._endpoints, "attestors", trio.current_time())

    async def attest(
        self, client: ClientState, height: int, path_hashes: Sequence[bytes], wait_ms: int = 0
    ) -> Attested:
        """What enough of the client's attestors sign about `height` and the paths; all of it, or nothing.

        Disagreements and unknown signers are told to `on_alert`, whatever comes of the call.

        Args:
            path_hashes: 32 bytes each, asked for MAX_PATHS at a time.
            wait_ms: how long an attestor may wait for the height to become final.

        Raises:
            HeightUnavailable: too few signed, and at least one says that the height is not final, or too old.
            EndpointUnavailable: too few signed; with each attestor's reason.
        """
        parts = [path_hashes[at : at + MAX_PATHS] for at in range(0, len(path_hashes), MAX_PATHS)] or [()]
        attested = [await self._attest(client, height, part, wait_ms) for part in parts]
        packets = tuple(packet for part in attested for packet in part.packets)
        return Attested(attested[0].state, attested[0].update, packets)

    async def attest_state_root(self, client: ClientState, height: int, wait_ms: int = 0) -> Attested:
        """What enough of the client's attestors sign about the state root of the block at `height`: `root` is there.

        Args:
            wait_ms: how long an attestor may wait for the height to become final.

        Raises:
            HeightUnavailable, EndpointUnavailable: as `attest`; attestors of earlier releases refuse the request.
        """
        return await self._ask_all(client, AttestationRequest(client.scope, height, (), wait_ms, state_root=True))

    async def _attest(self, client: ClientState, height: int, path_hashes: Sequence[bytes], wait_ms: int) -> Attested:
        return await self._ask_all(client, AttestationRequest(client.scope, height, tuple(path_hashes), wait_ms))

    async def _ask_all(self, client: ClientState, request: AttestationRequest) -> Attested:
        height = request.height
        counts = tuple(_Count(one, request) for one in client.good_sets(height))
        reasons: dict[str, str] = {}
        refusals: list[AttestorRefused] = []
        asked = self._asked(client.threshold)

        async def ask(endpoint: Endpoint, scope: trio.CancelScope) -> None:
            now_s = trio.current_time()
            try:
                heard = await self._ask(endpoint, client, request)
            except AttestorRefused as refused:
                endpoint.answered()
                refusals.append(refused)
                reasons[endpoint.name] = str(refused)
            except (AttemptFailed, BadAnswer, MalformedInput) as error:
                kind = error.kind if isinstance(error, AttemptFailed) else EndpointError.MALFORMED
                endpoint.failed(kind, str(error), now_s)
                reasons[endpoint.name] = str(error)
            else:
                endpoint.answered()
                for count in counts:
                    count.add(heard)
                reasons[endpoint.name] = "signed"
            if any(count.agreed for count in counts):
                scope.deadline = min(scope.deadline, trio.current_time() + self._options.straggler_grace_s)

        async with trio.open_nursery() as nursery:
            for endpoint in asked:
                nursery.start_soon(ask, endpoint, nursery.cancel_scope)
        for endpoint in asked:
            if endpoint.name not in reasons:
                endpoint.failed(EndpointError.SLOW, "much slower than the others", trio.current_time())
                reasons[endpoint.name] = "much slower than the others"
        results = [result for result in (count.result() for count in counts) if result is not None]
        result = results[0] if results else None
        if len({one.said for one in results}) > 1:
            sentence = f"the sets before and after the rotation sign different things about height {height}"
            self._on_alert(Alert(self._chain, DISAGREEMENT, sentence))
        for sentence in dict.fromkeys(sentence for count in counts for sentence in count.disagreements()):
            self._on_alert(Alert(self._chain, DISAGREEMENT, sentence))
        if result is not None:
            return result
        said = tuple((endpoint.name, reasons.get(endpoint.name, "not asked")) for endpoint in self._endpoints)
        if any(refusal.code in ("not_final", "too_old") for refusal in refusals):
            listed = "; ".join(f"{name}: {reason}" for name, reason in said)
            raise HeightUnavailable(self._chain, height, f"fewer than {client.threshold} attestors sign it: {listed}")
        raise EndpointUnavailable(self._chain, OPERATION, said)

    def _asked(self, required: int) -> tuple[Endpoint, ...]:
        """Those not in quarantine, where they are enough; else all."""
        usable = tuple(endpoint for endpoint in self._endpoints if endpoint.usable(trio.current_time()))
        return usable if len(usable) >= required else self._endpoints

    async def _ask(self, endpoint: Endpoint, client: ClientState, request: AttestationRequest) -> _Heard:
        timeout_s = self._options.attempt_timeout_s + request.wait_ms / 1000
        await endpoint.bucket.acquire()
        started_s = trio.current_time()
        with trio.move_on_after(timeout_s) as scope:
            data = await post(self._http, endpoint, OPERATION, encode_request(request), MAX_ANSWER_BYTES)
        endpoint.took(trio.current_time() - started_s)
        if scope.cancelled_caught:
            raise AttemptFailed(f"no answer in {timeout_s:g} s", EndpointError.TIMEOUT)
        answer = decode_answer(data)
        if answer.height != request.height:
            raise BadAnswer(OPERATION, "height", f"is not the asked {request.height}", got=answer.height)
        if len(answer.packets) != len(request.path_hashes):
            raise BadAnswer(OPERATION, "packets", "are not one for each path", got=len(answer.packets))
        if (answer.root is None) == request.state_root:
            raise BadAnswer(OPERATION, "state_root", "is there without being asked for, or the reverse")
        signer = _signer(client, request, answer)
        if not any(signer in one.attestors for one in client.good_sets(request.height)):
            self._on_alert(Alert(self._chain, STRANGER, f"{endpoint.name} signs with 0x{signer.hex()}"))
            raise BadAnswer(OPERATION, "state_signature", "is by no attestor of the client", got=signer)
        return _Heard(endpoint.name, signer, answer)


class _Count:
    """Everything that one set of attestors said of one request; what others say is not counted."""

    def __init__(self, client: ClientState, request: AttestationRequest) -> None:
        self._attestors = frozenset(client.attestors)
        self._request = request
        self._state: _Tally[int] = _Tally(client.threshold, "time {} s".format)
        self._packets: list[_Tally[bytes]] = [_Tally(client.threshold, shown) for _ in request.path_hashes]
        self._roots: _Tally[bytes] = _Tally(client.threshold, shown)
        self._names: dict[bytes, str] = {}

    def add(self, heard: _Heard) -> None:
        """A signer that answers at two addresses counts once, as it answered first."""
        if heard.signer in self._names or heard.signer not in self._attestors:
            return
        self._names[heard.signer] = heard.name
        self._state.add(heard.answer.timestamp_s, heard.signer, heard.answer.state_signature)
        for tally, packet in zip(self._packets, heard.answer.packets, strict=True):
            tally.add(packet.commitment, heard.signer, packet.signature)
        root = heard.answer.root
        if root is not None:
            self._roots.add(root.state_root, heard.signer, root.signature)

    def result(self) -> Attested | None:
        """None while anything asked for lacks signatures."""
        timestamp_s = self._state.agreed()
        if timestamp_s is None:
            return None
        state = StateAttestation(self._request.height, timestamp_s)
        packets = []
        for tally, path_hash in zip(self._packets, self._request.path_hashes, strict=True):
            commitment = tally.agreed()
            if commitment is None:
                return None
            entry = PacketEntry(path_hash, commitment)
            data = encode_packets(PacketAttestation(self._request.height, (entry,)))
            packets.append((entry, Attestation(data, tally.signatures(commitment))))
        if self._request.state_root and self._roots.agreed() is None:
            return None
        update = Attestation(encode_state(state), self._state.signatures(timestamp_s))
        return Attested(state, update, tuple(packets), self._root())

    def _root(self) -> tuple[StateRootAttestation, Attestation] | None:
        state_root = self._roots.agreed()
        if state_root is None:
            return None
        root = StateRootAttestation(self._request.height, state_root)
        return root, Attestation(encode_state_root(root), self._roots.signatures(state_root))

    @property
    def agreed(self) -> bool:
        asked = [*self._packets, self._roots] if self._request.state_root else self._packets
        return self._state.agreed() is not None and all(tally.agreed() is not None for tally in asked)

    def disagreements(self) -> Iterable[str]:
        """A sentence for each attestor and thing that it says differently."""
        height = self._request.height
        for signer, said in self._state.disagreements():
            yield f"{self._names[signer]} about height {height}: {said}"
        for signer, said in self._roots.disagreements():
            yield f"{self._names[signer]} about the state root of height {height}: {said}"
        for tally, path_hash in zip(self._packets, self._request.path_hashes, strict=True):
            for signer, said in tally.disagreements():
                yield f"{self._names[signer]} about path 0x{path_hash.hex()} at height {height}: {said}"


def _signer(client: ClientState, request: AttestationRequest, answer: AttestationAnswer) -> bytes:
    """Who signed all of it. Raises MalformedInput where that is not one key."""
    signed = [(AttestationKind.STATE, _state_data(answer), answer.state_signature)]
    for path_hash, packet in zip(request.path_hashes, answer.packets, strict=True):
        data = _packet_data(answer.height, path_hash, packet.commitment)
        signed.append((AttestationKind.PACKETS, data, packet.signature))
    if answer.root is not None:
        root = StateRootAttestation(answer.height, answer.root.state_root)
        signed.append((AttestationKind.STATE_ROOT, encode_state_root(root), answer.root.signature))
    signers = {recover_attestor(signing_digest(client, kind, data), signature) for kind, data, signature in signed}
    if len(signers) != 1 or (signer := signers.pop()) is None:
        raise MalformedInput("signatures", "are not all by one key")
    return signer


def _state_data(answer: AttestationAnswer) -> bytes:
    return encode_state(StateAttestation(answer.height, answer.timestamp_s))


def _packet_data(height: int, path_hash: bytes, commitment: bytes) -> bytes:
    return encode_packets(PacketAttestation(height, (PacketEntry(path_hash, commitment),)))
