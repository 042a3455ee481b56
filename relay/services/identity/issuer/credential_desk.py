"""The credential end point: a token and proofs in, credentials out, each logged before it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import trio
from sqlalchemy import Connection

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import (
    VERIFY,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    VerificationError,
)
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.issuer.authorization import Headers
from hutong.relay.services.identity.issuer.context import Issuer
from hutong.relay.services.identity.issuer.credentials import Issued, Place, validity_from
from hutong.relay.services.identity.issuer.deferring import Transaction, begin, is_held, later, serve
from hutong.relay.services.identity.issuer.deferring import found as found_in
from hutong.relay.services.identity.issuer.list_book import NoFreeIndex
from hutong.relay.services.identity.issuer.settings import CredentialConfig
from hutong.relay.services.identity.rules.jose import JsonObject, VerificationKey
from hutong.relay.services.identity.rules.openid4vci.credential_request import (
    CredentialRequest,
    read_credential_request,
)
from hutong.relay.services.identity.rules.openid4vci.dpop import DpopProof
from hutong.relay.services.identity.rules.openid4vci.key_proofs import ProofDemand, judge_proofs, judge_seal_proofs
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.grants import SecretKind
from hutong.relay.services.identity.store.issuances import IssuedRow
from hutong.relay.services.identity.store.seen import SeenBefore, see_once
from hutong.relay.telemetry import get_logger

CREDENTIAL_PATH = "/credential"
_NONCE_RULES = ("proof_answers_a_nonce", "attestation_answers_a_nonce", "proofs_answer_one_nonce")


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks: the access token, what it leads to, and the proof that its key is there."""

    token: str
    grant: dict[str, Any]
    proof: DpopProof | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be issued: one credential a key, and seals for as many accounts or for none. `nonce` is used up, or the
    transaction of an earlier request, whose nonce was."""

    config: CredentialConfig
    keys: tuple[VerificationKey, ...]
    holders: tuple[bytes, ...]
    nonce: str
    transaction_id: str | None = None


class CredentialDesk:
    """One issuer's."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def bearer(self, headers: Headers, path: str) -> Bearer:
        """Who asks, by the access token and the DPoP proof for `path`.

        Raises:
            OAuthError: invalid_token, invalid_dpop_proof or use_dpop_nonce.
        """
        values = headers.all("authorization")
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        kinds = ("dpop",) if self._issuer.config.requires_dpop else ("dpop", "bearer")
        if scheme.lower() not in kinds or not 0 < len(token) <= 512:
            raise _invalid_token("send `Authorization: DPoP` with an access token, and its DPoP proof")
        now_s = self._issuer.common.now_s()
        grant = await self._issuer.ledger.database.run(
            lambda connection: grants.read_secret(connection, SecretKind.TOKEN, token, now_s)
        )
        if grant is None:
            raise _invalid_token("the access token is unknown, or it has ended")
        is_bound = grant["jkt"] is not None
        if is_bound != (scheme.lower() == "dpop"):
            raise _invalid_token("the access token is bound to a key" if is_bound else "the access token has no key")
        try:
            proof = self._issuer.judged_dpop(headers.all("dpop"), path, token, grant["jkt"])
        except OAuthError as error:
            error.status = 401
            error.headers["WWW-Authenticate"] = f'DPoP error="{error.error}", algs="ES256"'
            raise
        if is_bound and proof is None:
            raise _invalid_token("the access token is bound to a key: send a DPoP proof")
        return Bearer(token, grant, proof)

    async def wanted(self, body: JsonObject, bearer: Bearer) -> tuple[Wanted, CredentialRequest]:
        """The request, its proofs judged.

        Raises:
            OAuthError: with the code that the specification has for it.
        """
        try:
            request = read_credential_request(body)
        except (MalformedInput, PredicateFailed, UnsupportedOperation) as error:
            # Proofs that are missing are invalid ones (OpenID4VCI 1.0 §8.3.1.2).
            missing = getattr(error, "predicate", None) == "request_has_proofs"
            raise OAuthError("invalid_proof" if missing else "invalid_credential_request", str(error)) from None
        config = self._config(request, bearer)
        return await trio.to_thread.run_sync(self._proven, config, request, bearer), request

    def _config(self, request: CredentialRequest, bearer: Bearer) -> CredentialConfig:
        named = request.configuration or request.identifier or ""
        if request.identifier is not None and (not bearer.grant["identifiers"] or named != bearer.grant["type"]):
            raise OAuthError("unknown_credential_identifier", "the token gives no such credential")
        if request.configuration is not None and bearer.grant["identifiers"]:
            raise OAuthError("invalid_credential_request", "the token names credentials: ask by credential_identifier")
        if named not in self._issuer.types:
            raise OAuthError("unknown_credential_configuration", "this issuer has no such type")
        if named != bearer.grant["type"]:
            raise OAuthError("credential_request_denied", "the token is for another type")
        return self._issuer.types[named]

    def _proven(self, config: CredentialConfig, request: CredentialRequest, bearer: Bearer) -> Wanted:
        """In a thread: a hundred proofs take some milliseconds."""
        issuer = self._issuer
        attesters = issuer.trust.attesters if config.needs_key_attestation else None
        client = bearer.grant["client"]
        demand = ProofDemand(issuer.identifier, issuer.nonces, client, issuer.clock, attesters)
        try:
            proven = judge_proofs(VERIFY, request.proofs, demand)
            holders: tuple[bytes, ...] = ()
            if request.seal_proofs:
                sealed = judge_seal_proofs(VERIFY, request.seal_proofs, demand)
                if sealed.nonce != proven.nonce or len(sealed.keys) != len(proven.keys):
                    raise OAuthError("invalid_proof", "seals: one account a credential, under the same nonce")
                holders = tuple(keccak256(key.coordinates)[12:] for key in sealed.keys)
        except VerificationError as error:
            is_nonce = getattr(error, "predicate", None) in _NONCE_RULES
            raise OAuthError("invalid_nonce" if is_nonce else "invalid_proof", str(error)) from None
        if holders and (issuer.maker.seal_key is None or config.schema_hash is None):
            raise OAuthError("invalid_credential_request", "this issuer makes no seals for this type")
        return Wanted(config, proven.keys, holders, proven.nonce)

    async def issue(self, wanted: Wanted, bearer: Bearer) -> JsonObject:
        """The credentials, on the disk and in the log before this returns; or, where they are held, by what to ask again.

        Raises:
            OAuthError: a proof came before, the token has ended meanwhile, or too many are asked for.
        """
        ledger = self._issuer.ledger
        if ledger.refusal is not None:
            raise OAuthError("server_error", "the issuer cannot issue now; its operator must look", status=503)
        async with ledger.lock:
            offer = await ledger.database.run(lambda connection: self._offer(connection, bearer, wanted))
            if isinstance(offer, OAuthError):
                raise offer
            now_s = self._issuer.common.now_s()
            if await ledger.database.run(lambda connection: is_held(connection, offer, now_s)):
                return await self._put_off(wanted, bearer, offer)
            places: list[Place] = []
            try:
                try:
                    issued = await trio.to_thread.run_sync(self._made, wanted, offer.document, places)
                except SigningFailed as error:
                    get_logger("issuer").error("cannot sign", reason=str(error))
                    raise OAuthError("server_error", "the issuer's key does not sign now", status=503) from None
                await self._keep(issued, places, wanted, bearer, offer)
            except (OAuthError, VerificationError):
                # It was refused, so nothing is on the disk: somebody who is refused again and again uses up no list.
                for place in places:
                    ledger.book.release(place.list_number, place.index)
                raise
        return {"credentials": [_answer(one) for one in issued]}

    async def collect(self, transaction_id: str, bearer: Bearer) -> JsonObject:
        """What was held, as `issue`; the same answer as before as long as it is.

        Raises:
            OAuthError: invalid_transaction_id; credential_request_denied where the department has ended the offer; as `issue`.
        """
        now_s = self._issuer.common.now_s()
        run = self._issuer.ledger.database.run
        transaction = await run(lambda connection: found_in(connection, bearer.grant, transaction_id, now_s))
        config = self._issuer.types[bearer.grant["type"]]
        wanted = Wanted(config, transaction.keys, transaction.holders, "", transaction_id)
        return await self.issue(wanted, bearer)

    async def _put_off(self, wanted: Wanted, bearer: Bearer, offer: grants.Offer) -> JsonObject:
        transaction_id = wanted.transaction_id or self._issuer.new_secret()

        def keep(connection: Connection) -> None:
            self._issuer.once(connection, bearer.proof, None)
            if wanted.transaction_id is not None:
                return
            self._use_up_nonce(connection, wanted.nonce)
            asked = Transaction(wanted.keys, wanted.holders)
            if not begin(connection, bearer.grant, bearer.token, transaction_id, asked, offer):
                raise _nothing_left()  # such as by a revocation, since it was read

        await self._issuer.ledger.database.run(keep)
        return later(transaction_id)

    async def _keep(
        self, issued: Sequence[Issued], places: Sequence[Place], wanted: Wanted, bearer: Bearer, offer: grants.Offer
    ) -> None:
        validity = validity_from(self._issuer.common.now_s(), wanted.config.valid_days)

        def rows(first: int) -> Sequence[IssuedRow]:
            return [
                IssuedRow(
                    first + at,
                    place.list_number,
                    place.index,
                    wanted.config.id,
                    offer.document["reference"],
                    validity.issued_s,
                    validity.expires_s,
                    one.entry,
                )
                for at, (one, place) in enumerate(zip(issued, places, strict=True))
            ]

        await self._issuer.ledger.commit(rows, lambda connection: self._use_up(connection, wanted, bearer, offer))

    def _offer(self, connection: Connection, bearer: Bearer, wanted: Wanted) -> grants.Offer | OAuthError:
        offer = grants.offer_by_id(connection, bearer.grant["offer"])
        if wanted.transaction_id is not None:
            # What a transaction waits for was counted when it began.
            ended = offer is None or not offer.document
            return OAuthError("credential_request_denied", "the offer has ended") if ended or offer is None else offer
        if offer is None or not offer.document:
            return _nothing_left()
        count = len(wanted.keys)
        left = self._issuer.types[bearer.grant["type"]].copies - offer.document["issued"]
        if count > left:
            return OAuthError("credential_request_denied", f"{count} are asked for, and {left} are left")
        return offer

    def _made(self, wanted: Wanted, document: dict[str, Any], places: list[Place]) -> list[Issued]:
        """Each place stands in `places` from the moment on in which it is drawn."""
        issuer = self._issuer
        validity = validity_from(issuer.common.now_s(), wanted.config.valid_days)
        issued = []
        for at, key in enumerate(wanted.keys):
            try:
                number, index = issuer.ledger.book.draw()
            except NoFreeIndex:
                raise OAuthError("server_error", "no status list is open yet; try again soon", status=503) from None
            place = Place(number, index, issuer.url(f"/status/{number}"))
            places.append(place)
            holder = wanted.holders[at] if wanted.holders else None
            issued.append(issuer.maker.make(wanted.config, document["claims"], key, place, validity, holder))
        return issued

    def _use_up(self, connection: Connection, wanted: Wanted, bearer: Bearer, offer: grants.Offer) -> None:
        """In the transaction of the issuances: what can be used once is used."""
        now_s = self._issuer.common.now_s()
        self._issuer.once(connection, bearer.proof, None)
        if grants.read_secret(connection, SecretKind.TOKEN, bearer.token, now_s) is None:
            raise _invalid_token("the access token has ended")
        if wanted.transaction_id is not None:
            if not serve(connection, wanted.transaction_id, offer, wanted.config.copies, now_s):
                raise OAuthError("invalid_transaction_id", "the transaction was served, or its offer has ended")
            return
        self._use_up_nonce(connection, wanted.nonce)
        count = offer.document["issued"] + len(wanted.keys)
        if count >= wanted.config.copies and not offer.document.get("waiting"):
            stands = grants.erase_offer(connection, offer.id)
        else:
            stands = grants.put_document(connection, offer.id, {**offer.document, "issued": count})
        if not stands:  # such as by a revocation, since it was read
            raise _nothing_left()

    def _use_up_nonce(self, connection: Connection, nonce: str) -> None:
        now_s = self._issuer.common.now_s()
        try:
            see_once(connection, "nonce", nonce, now_s + self._issuer.nonces.life_s, now_s)
        except SeenBefore:
            raise OAuthError("invalid_nonce", "the nonce was used; ask for another one") from None


def _answer(issued: Issued) -> JsonObject:
    found: JsonObject = {"credential": issued.credential}
    if issued.seal is not None:
        found["hutong_seal"] = issued.seal
    return found


def _nothing_left() -> OAuthError:
    return _invalid_token("what the access token was for is over")


def _invalid_token(description: str) -> OAuthError:
    said = {"WWW-Authenticate": 'DPoP error="invalid_token", algs="ES256"'}
    return OAuthError("invalid_token", description, status=401, headers=said)
