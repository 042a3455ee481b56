"""The authorization server: pushed requests, the page on which a person agrees, codes, and access tokens bound to keys."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Connection

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.issuer.context import Issuer, refused_as
from hutong.relay.services.identity.issuer.offering import code_fits, offer_id_in
from hutong.relay.services.identity.rules.jose import encode_base64url, read_json
from hutong.relay.services.identity.rules.openid4vci.client_attestations import AttestedClient
from hutong.relay.services.identity.rules.openid4vci.dpop import DpopProof
from hutong.relay.services.identity.rules.openid4vci.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED
from hutong.relay.services.identity.rules.openid4vci.pkce import challenge_well_formed, verifier_fits
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.grants import Offer, SecretKind

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
REQUEST_LIFE_S = 90
PAGE_LIFE_S = 600
CODE_LIFE_S = 60
TOKEN_LIFE_S = 3_600
MAX_DETAILS_BYTES = 8 * 1024
TOKEN_PATH = "/token"  # noqa: S105  a path
PUSH_PATH = "/par"


@dataclass(frozen=True, slots=True)
class Presenter:
    """Who sends a request: the key of its DPoP proof and the wallet that is attested, as far as there are such."""

    proof: DpopProof | None
    client: AttestedClient | None

    @property
    def thumbprint(self) -> str | None:
        """RFC 7638 of the key, base64url."""
        return None if self.proof is None else encode_base64url(self.proof.key.thumbprint())


class Authorization:
    """One issuer's."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def presenter(self, headers: "Headers", path: str) -> Presenter:
        """Who sends a request to the token end point or a pushed request.

        Raises:
            OAuthError: a proof of possession or an attestation is refused, or one that is needed is missing.
        """
        client = self._issuer.judged_client(
            headers.all("oauth-client-attestation"), headers.all("oauth-client-attestation-pop")
        )
        proof = self._issuer.judged_dpop(headers.all("dpop"), path)
        if proof is None and path == TOKEN_PATH and self._issuer.config.requires_dpop:
            raise OAuthError("invalid_dpop_proof", "tokens are bound to keys here: send a DPoP proof (RFC 9449)")
        return Presenter(proof, client)

    # --- the code flow

    async def push(self, form: Mapping[str, str], presenter: Presenter) -> dict[str, Any]:
        """A pushed authorization request (RFC 9126 §2).

        Raises:
            OAuthError: it is refused.
        """
        now_s = self._issuer.common.now_s()
        if "request_uri" in form:
            raise OAuthError("invalid_request", "request_uri has no place in a pushed request")
        request: dict[str, Any] = {
            "client": self._client_id(form, presenter),
            "redirect": self._redirect(form, presenter),
            "challenge": self._challenge(form),
            "state": form.get("state"),
            "type": self._type_wished(form),
            "identifiers": "authorization_details" in form,
            "issuer_state": form.get("issuer_state"),
            "jkt": form.get("dpop_jkt") or presenter.thumbprint,
        }
        if form.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type is code, and nothing else")
        if presenter.thumbprint is not None and request["jkt"] != presenter.thumbprint:
            raise OAuthError("invalid_dpop_proof", "dpop_jkt is not the key of the DPoP proof")
        uri = REQUEST_URI + self._issuer.new_secret()
        request["until_s"] = now_s + REQUEST_LIFE_S

        def keep(connection: Connection) -> None:
            self._issuer.once(connection, presenter.proof, presenter.client)
            grants.forget_ended(connection, now_s)
            # It is kept for as long as a page of it may be answered: the first answer uses it up.
            ends_s = now_s + REQUEST_LIFE_S + PAGE_LIFE_S
            grants.put_secret(connection, SecretKind.REQUEST, uri, request, ends_s)

        await self._issuer.ledger.database.run(keep)
        return {"request_uri": uri, "expires_in": REQUEST_LIFE_S}

    async def begin_page(self, query: Mapping[str, str]) -> tuple[str, str, dict[str, Any]]:
        """The page of a pushed request: secrets of the form and of the cookie, and the request.

        A page may be opened again, such as by a browser that loads it twice (FAPI 2.0 §5.3.2.2): of all pages of a
        request the first that is answered counts.

        Raises:
            OAuthError: there is no such request, or it is over, was answered, or is of another client. Nobody is sent anywhere then.
        """
        page, cookie, now_s = self._issuer.new_secret(), self._issuer.new_secret(), self._issuer.common.now_s()

        def begin(connection: Connection) -> dict[str, Any] | None:
            uri = query.get("request_uri", "")
            request = grants.read_secret(connection, SecretKind.REQUEST, uri, now_s)
            if request is None or request["until_s"] <= now_s or request["client"] != query.get("client_id"):
                return None
            kept = {"request": request, "of": grants.digest_of(uri), "cookie": grants.digest_of(cookie)}
            grants.put_secret(connection, SecretKind.PAGE, page, kept, now_s + PAGE_LIFE_S)
            return request

        request = await self._issuer.ledger.database.run(begin)
        if request is None:
            raise OAuthError("invalid_request", "there is no such pushed request; begin again in your wallet")
        return page, cookie, request

    async def agree(self, form: Mapping[str, str], cookie: str | None) -> str:
        """Where the person's browser goes after the form: to the wallet, with a code or an error.

        Raises:
            OAuthError: the form is not of a page that this browser was shown. Nobody is sent anywhere then.
        """
        now_s, code = self._issuer.common.now_s(), self._issuer.new_secret()

        def decide(connection: Connection) -> tuple[dict[str, Any], dict[str, str]] | None:
            page = grants.read_secret(connection, SecretKind.PAGE, form.get("page", ""), now_s)
            if page is None or cookie is None:
                return None
            if not hmac.compare_digest(page["cookie"], grants.digest_of(cookie)):
                return None
            grants.use_secret(connection, SecretKind.PAGE, form.get("page", ""), now_s)
            if not grants.use_up(connection, SecretKind.REQUEST, page["of"]):
                return None
            request: dict[str, Any] = page["request"]
            if form.get("agree") != "yes":
                return request, {"error": "access_denied"}
            offer = self._offer_of(connection, request, form, now_s)
            if offer is None:
                return request, {"error": "access_denied", "error_description": "no such offer, or a wrong code"}
            kept = {**request, "offer": offer.id}
            grants.put_secret(connection, SecretKind.CODE, code, kept, now_s + CODE_LIFE_S)
            return request, {"code": code}

        found = await self._issuer.ledger.database.run(decide)
        if found is None:
            raise OAuthError("invalid_request", "this form is not of a page that your browser was shown; begin again")
        request, parameters = found
        if request["state"] is not None:
            parameters["state"] = request["state"]
        parameters["iss"] = self._issuer.identifier
        redirect: str = request["redirect"]
        return f"{redirect}{'&' if urlsplit(redirect).query else '?'}{urlencode(parameters)}"

    def _offer_of(
        self, connection: Connection, request: Mapping[str, Any], form: Mapping[str, str], now_s: int
    ) -> Offer | None:
        """The offer that began the flow, or whose link the person gives where a wallet began it, if the person gives the
        code that came with it; taken by this."""
        state = request["issuer_state"]
        if state is not None:
            offer = grants.offer_by_state(connection, state)
        else:
            offer = grants.offer_by_id(connection, offer_id_in(form.get("offer", "")))
        if offer is None or offer.is_taken or offer.expires_s <= now_s:
            return None
        if not offer.document["by_login"] or offer.document["type"] != request["type"]:
            return None
        if not code_fits(connection, offer, form.get("code")):
            return None
        return offer if grants.take_offer(connection, offer.id) else None

    # --- tokens

    async def token(self, form: Mapping[str, str], presenter: Presenter) -> dict[str, Any]:
        """The answer of the token end point (RFC 6749 §5.1, OpenID4VCI 1.0 §6.2).

        Raises:
            OAuthError: it is refused.
        """
        grant = form.get("grant_type")
        if grant not in (PRE_AUTHORIZED, AUTHORIZATION_CODE):
            raise OAuthError("unsupported_grant_type", f"grant_type is {AUTHORIZATION_CODE} or {PRE_AUTHORIZED}")
        token, now_s = self._issuer.new_secret(), self._issuer.common.now_s()

        def exchange(connection: Connection) -> dict[str, Any] | OAuthError:
            # A refusal is returned and not raised where what it counts must stay on the disk.
            self._issuer.once(connection, presenter.proof, presenter.client)
            read = self._by_offer if grant == PRE_AUTHORIZED else self._by_code
            found = read(connection, form, presenter, now_s)
            if isinstance(found, dict):
                kept = {**found, "jkt": presenter.thumbprint, "client": _id_of(presenter)}
                grants.put_secret(connection, SecretKind.TOKEN, token, kept, now_s + TOKEN_LIFE_S)
            return found

        found = await self._issuer.ledger.database.run(exchange)
        if isinstance(found, OAuthError):
            raise found
        answer: dict[str, Any] = {
            "access_token": token,
            "token_type": "Bearer" if presenter.proof is None else "DPoP",
            "expires_in": TOKEN_LIFE_S,
        }
        if found["identifiers"]:
            one = {"type": "openid_credential", "credential_configuration_id": found["type"]}
            answer["authorization_details"] = [{**one, "credential_identifiers": [found["type"]]}]
        return answer

    def _by_offer(
        self, connection: Connection, form: Mapping[str, str], presenter: Presenter, now_s: int
    ) -> dict[str, Any] | OAuthError:
        offer = grants.offer_by_code(connection, form.get("pre-authorized_code", ""))
        if offer is None or offer.is_taken or offer.expires_s <= now_s:
            return OAuthError("invalid_grant", "there is no such pre-authorised code, or it was used, or it is over")
        code = form.get("tx_code")
        if offer.document["code"] is not None and code is None:
            return OAuthError("invalid_request", "the transaction code is missing")
        if offer.document["code"] is None and code is not None:
            return OAuthError("invalid_request", "this offer has no transaction code")
        if not code_fits(connection, offer, code):
            return OAuthError("invalid_grant", "that is not the transaction code")
        if not grants.take_offer(connection, offer.id):
            return OAuthError("invalid_grant", "the pre-authorised code was used")
        details = "authorization_details" in form
        if details and self._type_in_details(form["authorization_details"]) != offer.document["type"]:
            return OAuthError("invalid_request", "authorization_details name another type than the offer")
        return {"offer": offer.id, "type": offer.document["type"], "identifiers": details}

    def _by_code(
        self, connection: Connection, form: Mapping[str, str], presenter: Presenter, now_s: int
    ) -> dict[str, Any] | OAuthError:
        code = form.get("code", "")
        again = grants.was_used(connection, SecretKind.CODE, code)
        if again is not None:
            grants.end_tokens_of(connection, again["offer"])  # RFC 6749 §4.1.2: somebody else may have it
            return OAuthError("invalid_grant", "the code was used; what was given for it has ended")
        request = grants.use_secret(connection, SecretKind.CODE, code, now_s)
        if request is None:
            return OAuthError("invalid_grant", "there is no such code, or it is over")
        if request["redirect"] != form.get("redirect_uri") or request["client"] != self._client_id(form, presenter):
            return OAuthError("invalid_grant", "the code is of another client or another redirect_uri")
        try:
            with refused_as("invalid_grant"):
                verifier_fits(form.get("code_verifier"), request["challenge"])
        except OAuthError as error:
            return error
        if request["jkt"] is not None and request["jkt"] != presenter.thumbprint:
            return OAuthError("invalid_dpop_proof", "the code is of another key")
        return {"offer": request["offer"], "type": request["type"], "identifiers": request["identifiers"]}

    # --- parts of requests

    def _client_id(self, form: Mapping[str, str], presenter: Presenter) -> str:
        said = form.get("client_id")
        attested = _id_of(presenter)
        if attested is not None and said not in (None, attested):
            raise OAuthError("invalid_client", "client_id is not the one that is attested", status=401)
        client = attested or said
        if client is None or not 0 < len(client) <= 512:
            raise OAuthError("invalid_request", "client_id is missing or too long")
        return client

    def _redirect(self, form: Mapping[str, str], presenter: Presenter) -> str:
        said = form.get("redirect_uri", "")
        if said in self._issuer.config.redirect_uris:
            return said
        parts = urlsplit(said)
        is_safe = said.isascii() and said.isprintable() and len(said) <= 1_024 and not parts.fragment
        if presenter.client is None or not is_safe or parts.scheme in ("", "http", "javascript", "data", "file"):
            raise OAuthError("invalid_request", "redirect_uri is not one of this issuer's wallets")
        return said

    def _challenge(self, form: Mapping[str, str]) -> str:
        with refused_as("invalid_request"):
            return challenge_well_formed(form.get("code_challenge"), form.get("code_challenge_method"))

    def _type_wished(self, form: Mapping[str, str]) -> str:
        if "authorization_details" in form:
            return self._type_in_details(form["authorization_details"])
        scopes = [one for one in form.get("scope", "").split(" ") if one in self._issuer.types]
        if len(scopes) != 1:
            raise OAuthError("invalid_scope", "scope names one type of this issuer")
        return scopes[0]

    def _type_in_details(self, text: str) -> str:
        """The one type that `authorization_details` name (OpenID4VCI 1.0 §5.1.1)."""
        try:
            details = read_json(text.encode(errors="surrogatepass"), "authorization_details", MAX_DETAILS_BYTES)
        except MalformedInput as error:
            raise OAuthError("invalid_authorization_details", str(error)) from None
        one = details[0] if isinstance(details, list) and len(details) == 1 else None
        if not isinstance(one, dict) or one.get("type") != "openid_credential":
            raise OAuthError("invalid_authorization_details", "is not a list of one openid_credential")
        found = one.get("credential_configuration_id")
        if not isinstance(found, str) or found not in self._issuer.types:
            raise OAuthError("invalid_authorization_details", "names no type of this issuer")
        return found


def _id_of(presenter: Presenter) -> str | None:
    return None if presenter.client is None else presenter.client.client_id


@dataclass(frozen=True, slots=True)
class Headers:
    """A request's headers: `all` gives every value of a name, for what comes twice is refused and not chosen from."""

    pairs: tuple[tuple[bytes, bytes], ...]

    def all(self, name: str) -> list[str]:
        """Values of a name in lower case, in order."""
        wanted = name.encode()
        return [value.decode("latin-1") for found, value in self.pairs if found == wanted]
