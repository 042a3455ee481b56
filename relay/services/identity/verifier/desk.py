"""What the verifier does: ask, give the request object out, judge an answer once, say what came of it."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import anyio
from cryptography.hazmat.primitives.asymmetric import ec

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.rules.acceptance.credential import trust_in_key
from hutong.relay.services.identity.rules.jose import JsonObject, encode_base64url, read_jwk
from hutong.relay.services.identity.rules.jose.jwe import read_decryption_key
from hutong.relay.services.identity.rules.openid4vp import (
    AnswerDemand,
    AuthorizationRequest,
    Challenge,
    ClientMetadata,
    EncryptionKey,
    Lifetime,
    RequestLink,
    ResponseMode,
    VpToken,
    WalletError,
    judge_form,
    judge_vp_token,
    sign_request,
)
from hutong.relay.services.identity.rules.sd_jwt import Clock, KeyBindingDemand, VerifiedPresentation
from hutong.relay.services.identity.rules.status import StatusReading
from hutong.relay.services.identity.verifier.hub_trust import HubIssuer, HubTrust, trust_with
from hutong.relay.services.identity.verifier.policies import Policy
from hutong.relay.services.identity.verifier.settings import VerifierConfig
from hutong.relay.services.identity.verifier.signing_key import SigningKey
from hutong.relay.services.identity.verifier.status_lists import StatusDemand, StatusLists
from hutong.relay.services.identity.verifier.store import FINAL, Asked, Channel, RequestStore, State
from hutong.relay.telemetry import get_logger

REQUESTS_PATH: Final = "/verifier/requests"
ANSWERS_PATH: Final = "/verifier/answers"
ANSWERED_PATH: Final = "/verify/answered"
SECRET_BYTES: Final = 32
"""Of ids, nonces, states and codes."""
NOT_CLAIMS: Final = frozenset({"cnf", "status", "_sd_alg"})
"""Members of a credential that say nothing of a person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks by which policy, and where the wallet leads the browser: None for a wallet on another device."""

    policy: str
    owner: str
    return_to: str | None = None


class Desk:
    """One verifier. Its acts do not wait for each other; what they share is in the store."""

    def __init__(
        self,
        settings: VerifierConfig,
        policies: Mapping[str, Policy],
        key: SigningKey,
        store: RequestStore,
        lists: StatusLists,
        common: Common,
    ) -> None:
        self.settings = settings
        self.policies = policies
        self.store = store
        self._key = key
        self._lists = lists
        self._common = common
        self._hub = None if common.hub is None else HubTrust(common.hub)
        self.client_id = key.client_id(settings.client_id)
        self._changed: dict[str, anyio.Event] = {}

    @property
    def public_url(self) -> str:
        """What the verifier's addresses begin with."""
        return self._common.server.public_url.rstrip("/")

    @property
    def key_problem(self) -> str | None:
        """Why the last request was not signed; None after one that was."""
        return self._key.held.problem

    async def aclose(self) -> None:
        """Let go of what holds the key."""
        await self._key.held.aclose()

    @property
    def watched(self) -> int:
        """How many requests somebody waits for."""
        return len(self._changed)

    def now_s(self) -> int:
        """Unix time."""
        return self._common.now_s()

    def secret(self) -> str:
        """256 random bits in base64url."""
        return encode_base64url(self._common.random_bytes(SECRET_BYTES))

    async def ask(self, wish: Wish) -> Asked:
        """A new request of a policy.

        Raises:
            KeyError: no such policy, a bug of the caller.
            TooManyOpen: see `RequestStore.add`.
        """
        policy, now_s = self.policies[wish.policy], self.now_s()
        is_encrypted = policy.settings.response_mode is ResponseMode.DIRECT_POST_JWT
        asked = Asked(
            id=self.secret(),
            policy=policy.name,
            owner=wish.owner,
            channel=Channel.CROSS_DEVICE if wish.return_to is None else Channel.SAME_DEVICE,
            nonce=self.secret(),
            challenge=self.secret(),
            encryption_jwk=one_time_key(self.secret()) if is_encrypted else None,
            return_to=wish.return_to,
            created_s=now_s,
            ends_s=now_s + self.settings.request_life_s,
        )
        await anyio.to_thread.run_sync(self.store.add, asked)
        return asked

    async def find(self, request_id: str) -> Asked | None:
        """A request by its id, if it has not been removed."""
        return await anyio.to_thread.run_sync(self.store.get, request_id, self.now_s())

    async def of_owner(self, owner: str) -> tuple[Asked, ...]:
        """What an owner asked, the newest first."""
        return await anyio.to_thread.run_sync(self.store.of_owner, owner, self.now_s())

    async def forget(self, request_ids: Sequence[str]) -> None:
        """Remove requests with what was shown."""
        await anyio.to_thread.run_sync(self.store.forget, request_ids)

    def link(self, asked: Asked) -> str:
        """What a wallet opens: the verifier's name, and where the request object is."""
        link = RequestLink(self.client_id, f"{self.public_url}{REQUESTS_PATH}/{asked.id}", is_post=True)
        return link.written(self.settings.wallet)

    async def request_object(self, asked: Asked, wallet_nonce: str | None) -> str:
        """The signed request. It may be fetched again as long as it is not answered: wallets look twice.

        Raises:
            OAuthError: it was answered, its time is over, or what holds the key does not sign now.
        """
        _demand_waiting(asked)
        policy = self.policies[asked.policy]
        request = AuthorizationRequest(
            self.client_id,
            f"{self.public_url}{ANSWERS_PATH}/{asked.id}",
            policy.settings.response_mode,
            policy.query,
            Challenge(asked.nonce, asked.challenge, wallet_nonce),
            ClientMetadata(None if asked.encryption_jwk is None else _public(asked.encryption_jwk)),
            Lifetime(asked.created_s, asked.ends_s),
        )
        held = self._key.held
        try:
            return await held.signed(lambda: sign_request(request, list(self._key.x5c), held.sign))
        except SigningFailed as error:
            get_logger("verifier").error("cannot sign a request", reason=str(error))
            raise OAuthError("server_error", "the verifier's key does not sign now", status=503) from None

    async def receive(self, asked: Asked, form: Mapping[str, str]) -> str:
        """Judge an answer; where the wallet leads its browser next.

        What cannot be read, or is not of this request, leaves the request as it is: anybody may post anything. What can
        be read is judged, once.

        Raises:
            OAuthError: the answer is refused, or was given before.
        """
        _demand_waiting(asked)
        key = None if asked.encryption_jwk is None else read_decryption_key(dict(asked.encryption_jwk))
        mode = self.policies[asked.policy].settings.response_mode
        fields = tuple(form.items())
        try:
            answer = await anyio.to_thread.run_sync(judge_form, VERIFY, fields, mode, key, asked.challenge)
        except VerificationError as error:
            raise OAuthError("invalid_request", str(error)) from None
        if not await anyio.to_thread.run_sync(self.store.claim, asked.id, self.now_s()):
            raise _answered_before()
        if isinstance(answer, WalletError):
            told: dict[str, Any] = {"error": answer.code, "description": answer.description}
            return await self._settle(asked, State.DECLINED, told)
        try:
            shown = await self._judge(asked, answer)
        except VerificationError as error:
            await self._settle(asked, State.REFUSED, {"rule": rule_of(error), "reason": str(error)})
            raise OAuthError("invalid_request", str(error)) from None
        return await self._settle(asked, State.ACCEPTED, {"credentials": shown})

    async def _judge(self, asked: Asked, token: VpToken) -> dict[str, Any]:
        policy = self.policies[asked.policy]
        clock = Clock(self.now_s(), self.settings.max_skew_s)
        texts = [text for listed in token.presentations.values() for text in listed]
        issuers: Mapping[str, HubIssuer] = {}
        if policy.settings.hub is not None and self._hub is not None:
            issuers = await self._hub.issuers(texts, policy.settings.hub, clock.now_s)
        binding = KeyBindingDemand(self.client_id, asked.nonce, policy.settings.max_presentation_age_s)
        demand = AnswerDemand(policy.query, trust_with(policy.trust, issuers.values()), clock, binding)
        verified = await anyio.to_thread.run_sync(judge_vp_token, VERIFY, token, demand)
        shown: dict[str, Any] = {}
        for name, presentations in verified.items():
            pairs = zip(presentations, token.presentations[name], strict=True)
            shown[name] = [_shown(one, await self._status(policy, one, text, issuers.get(text))) for one, text in pairs]
        return shown

    async def _status(
        self, policy: Policy, verified: VerifiedPresentation, text: str, issuer: HubIssuer | None
    ) -> StatusReading | None:
        """The status of one presentation; of an issuer on the hub first all that its records say."""
        settings, clock = policy.settings, Clock(self.now_s(), self.settings.max_skew_s)
        demand = StatusDemand(policy.trust, clock, settings.max_status_age_s, is_required=settings.status_required)
        if issuer is not None and settings.hub is not None and self._hub is not None:
            self._hub.judge(verified, text, issuer, settings.hub)
            demand = StatusDemand(
                trust_in_key(issuer.signing),
                clock,
                settings.max_status_age_s,
                is_required=True,
                proven=issuer.status_list,
                newest_epoch=self._hub.newest_epoch(issuer),
            )
        return await self._lists.judge(verified, demand)

    async def _settle(self, asked: Asked, state: State, outcome: Mapping[str, Any]) -> str:
        code = self.secret()
        ends_s = self.now_s() + self.settings.result_life_s
        await anyio.to_thread.run_sync(self.store.settle, asked.id, state, outcome, _digest(code), ends_s)
        changed = self._changed.pop(asked.id, None)
        if changed is not None:
            changed.set()
        if asked.return_to is None:
            return f"{self.public_url}{ANSWERED_PATH}"
        return f"{asked.return_to}?{urlencode({'response_code': code})}"

    async def bring_back(self, asked: Asked, code: str) -> bool:
        """Whether the browser brought the code of this answer: then its result is no longer kept from it."""
        if asked.code_sha256 is None or not hmac.compare_digest(_digest(code), asked.code_sha256):
            return False
        await anyio.to_thread.run_sync(self.store.mark_returned, asked.id)
        return True

    async def wait(self, request_id: str, limit_s: float) -> None:
        """Until something changed, or `limit_s` has passed: the caller looks again either way."""
        changed = self._changed.setdefault(request_id, anyio.Event())
        try:
            with anyio.move_on_after(limit_s):
                await changed.wait()
        finally:  # also where the browser has gone
            if not changed.is_set() and changed.statistics().tasks_waiting == 0:
                self._changed.pop(request_id, None)

    async def remove_ended(self) -> int:
        """Remove what ended, with what was shown; how many requests."""
        return await anyio.to_thread.run_sync(self.store.remove_ended, self.now_s())


def result_fields(asked: Asked) -> dict[str, Any]:
    """What may be told of a request to whoever asked.

    Of a wallet on the same device nothing is told before its browser brought the code: the link may have been sent to
    somebody else, who would sign in or pay for the one who sent it.
    """
    fields: dict[str, Any] = {"id": asked.id, "policy": asked.policy, "ends_at": asked.ends_s}
    if asked.state in FINAL and asked.channel is Channel.SAME_DEVICE and not asked.is_returned:
        return {**fields, "state": "returning", "is_final": False}
    is_final = asked.state in (*FINAL, State.EXPIRED)
    return {
        **fields,
        "state": asked.state.value,
        "is_final": is_final,
        **({"result": asked.outcome} if asked.outcome else {}),
    }


def rule_of(error: VerificationError) -> str:
    """The name of what refused."""
    match error:
        case PredicateFailed(predicate=name):
            return name
        case MalformedInput(field=name):
            return f"well_formed: {name}"
        case UnsupportedOperation(operation=name):
            return f"supported: {name}"
    return type(error).__name__


def one_time_key(kid: str) -> JsonObject:
    """A private key on P-256 for one answer, as a JWK."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    members = {"x": numbers.public_numbers.x, "y": numbers.public_numbers.y, "d": numbers.private_value}
    coordinates = {name: encode_base64url(value.to_bytes(32, "big")) for name, value in members.items()}
    return {"kty": "EC", "crv": "P-256", "kid": kid, **coordinates}


def _public(jwk: Mapping[str, Any]) -> EncryptionKey:
    public: JsonObject = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    return EncryptionKey(jwk["kid"], read_jwk(public, "encryption key"))


def _shown(verified: VerifiedPresentation, status: StatusReading | None) -> dict[str, Any]:
    issuer = verified.issuer
    return {
        "vct": verified.vct,
        "issuer": {
            "name": issuer.name,
            "key": encode_base64url(issuer.key.thumbprint()),
            "certificate": None if issuer.certificate is None else issuer.certificate.subject,
        },
        "holder": None if verified.holder is None else encode_base64url(verified.holder.key.thumbprint()),
        "status": None if status is None else {"uri": status.claims.subject, "issued_at": status.claims.issued_at_s},
        "claims": {name: value for name, value in verified.claims.items() if name not in NOT_CLAIMS},
    }


def _demand_waiting(asked: Asked) -> None:
    if asked.state is State.EXPIRED:
        raise OAuthError("invalid_request", "the time of this request is over; ask for a new one", status=410)
    if asked.state is not State.WAITING:
        raise _answered_before()


def _answered_before() -> OAuthError:
    return OAuthError("invalid_request", "this request was answered before; each takes one answer", status=409)


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def as_event(name: str, document: object) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(document, ensure_ascii=False)}\n\n".encode()
