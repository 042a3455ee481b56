"""What wallets ask of an issuer: OpenID4VCI 1.0, with the authorization server that it needs."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Request, Response

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import leaf_hash
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.requests import form_body, json_body
from hutong.relay.services.identity.issuer.authorization import PUSH_PATH, TOKEN_PATH, Authorization, Headers
from hutong.relay.services.identity.issuer.context import Issuer, refused_as
from hutong.relay.services.identity.issuer.credential_desk import CREDENTIAL_PATH, CredentialDesk
from hutong.relay.services.identity.issuer.deferring import DEFERRED_PATH
from hutong.relay.services.identity.issuer.encryption import decrypted, encrypted, recipient_of
from hutong.relay.services.identity.issuer.offering import offer_document
from hutong.relay.services.identity.issuer.page import COOKIE, agreement, page_answer
from hutong.relay.services.identity.issuer.type_documents import type_documents
from hutong.relay.services.identity.rules.jose import JsonObject, write_json
from hutong.relay.services.identity.rules.openid4vci.credential_request import transaction_asked_for
from hutong.relay.services.identity.rules.openid4vci.metadata import (
    ISSUER_PATH,
    SERVER_PATH,
    issuer_url_path,
    signed_metadata,
)
from hutong.relay.services.identity.rules.records.log_record import decode_log_entry
from hutong.relay.services.identity.status_host.list_tokens import ListTokens
from hutong.relay.services.identity.status_host.serving_lists import list_answer
from hutong.relay.services.identity.store import grants, issuances
from hutong.relay.telemetry import get_logger
from hutong.relay.web.problems import ApiProblem, Code

JWT = "application/jwt"
PlaceNumber = Annotated[int, Path(ge=0, lt=2**31)]
NO_STORE = {"cache-control": "no-store"}


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write_json(document), status, {**NO_STORE, **(headers or {})}, media_type="application/json")


def _digests(entry: bytes) -> list[str]:
    """Of what an entry names, in hexadecimal digits."""
    read = decode_log_entry(entry)
    return [one.digest.hex() for one in (read.credential, read.seal) if one is not None]


def wallet_router(issuer: Issuer, tokens: ListTokens, metadata: JsonObject, server: JsonObject) -> APIRouter:
    """Every end point of a wallet's, below the path of the issuer's identifier."""
    prefix = urlsplit(issuer.identifier).path
    router = APIRouter(tags=["issuer"])
    issuer_text, server_text = write_json(metadata), write_json(server)
    cached = {"cache-control": "max-age=300"}

    @router.get(issuer_url_path(prefix, ISSUER_PATH))
    async def credential_issuer(request: Request) -> Response:
        """What is issued here (OpenID4VCI 1.0 §12.2): as JSON, or signed for who asks for `application/jwt`."""
        if JWT in request.headers.get("accept", ""):
            key = issuer.maker.key
            now_s = issuer.common.now_s()
            try:
                text = await key.held.signed(lambda: signed_metadata(metadata, dict(key.header), now_s, key.sign))
            except SigningFailed as error:
                get_logger("issuer").error("cannot sign the metadata", reason=str(error))
                raise ApiProblem(Code.BUSY, "the issuer's key does not sign now; ask again later") from None
            return Response(text, headers={**cached, "vary": "Accept"}, media_type=JWT)
        return Response(issuer_text, headers={**cached, "vary": "Accept"}, media_type="application/json")

    @router.get(issuer_url_path(prefix, SERVER_PATH))
    async def authorization_server() -> Response:
        """How tokens are had (RFC 8414)."""
        return Response(server_text, headers=cached, media_type="application/json")

    @router.get(prefix + "/offers/{offer_id}")
    async def offer(offer_id: str) -> Response:
        """An offer, for the wallet that was given its link (OpenID4VCI 1.0 §4.1.3)."""
        found = await issuer.ledger.database.run(lambda connection: grants.offer_by_id(connection, offer_id))
        if found is None or found.is_taken or not found.document or found.expires_s <= issuer.common.now_s():
            raise ApiProblem(Code.NOT_FOUND, "there is no such offer, or it was taken, or it is over")
        return _json(offer_document(issuer.identifier, found))

    if issuer.config.attestation_challenges:

        @router.post(prefix + "/challenge")
        async def challenge() -> Response:
            """A challenge for the next proof of an attested wallet."""
            return _json({"attestation_challenge": issuer.challenges.new()})

    @router.post(prefix + "/nonce")
    async def nonce() -> Response:
        """A nonce for key proofs (OpenID4VCI 1.0 §7)."""
        said = {"DPoP-Nonce": issuer.dpop_nonces.new()} if issuer.config.dpop_nonces else None
        return _json({"c_nonce": issuer.nonces.new()}, headers=said)

    _add_lists(router, issuer, tokens, prefix)
    _add_authorization(router, issuer, prefix)
    _add_credential(router, issuer, prefix)
    for path, document in type_documents(issuer.identifier, issuer.config).items():
        _add_type(router, path, document)
    return router


def _add_type(router: APIRouter, path: str, document: bytes) -> None:
    @router.get(path)
    async def type_metadata() -> Response:
        """What the credentials of a type are (SD-JWT VC §6)."""
        return Response(document, headers={"cache-control": "max-age=300"}, media_type="application/json")


def _add_lists(router: APIRouter, issuer: Issuer, tokens: ListTokens, prefix: str) -> None:
    @router.get(prefix + "/status/{number}")
    async def status_list(request: Request, number: int) -> Response:
        """A status list (Token Status List §8.1)."""
        token = tokens.current(number)
        return list_answer(request, None if token is None else token.text, issuer.config.list_ttl_s)

    @router.get(prefix + "/log/{list_number}/{index}")
    async def log_proof(list_number: PlaceNumber, index: PlaceNumber, digest: str, size: int) -> Response:
        """The log entry of a credential with its inclusion proof, for its holder.

        `digest` is the SHA-256 of the issuer-signed JWT, or the digest of the seal, in hexadecimal digits: nobody else knows it.
        `size` is that of the log in which it is proven.
        """
        found = await issuer.ledger.database.run(lambda connection: issuances.entry_at(connection, list_number, index))
        if found is None or digest not in _digests(found.entry):
            raise ApiProblem(Code.NOT_FOUND, "there is no such credential")
        try:
            aunts = issuer.ledger.log.inclusion(found.position, size)
        except IndexError:
            raise ApiProblem(Code.NOT_FOUND, "the log of this size does not have it") from None
        return _json(
            {
                "entry": found.entry.hex(),
                "index": found.position,
                "size": size,
                "leaf": leaf_hash(found.entry).hex(),
                "aunts": [one.hex() for one in aunts],
            }
        )


def _add_authorization(router: APIRouter, issuer: Issuer, prefix: str) -> None:
    server = Authorization(issuer)

    @router.post(prefix + PUSH_PATH)
    async def push(request: Request) -> Response:
        """A pushed authorization request (RFC 9126)."""
        with refused_as("invalid_request"):
            form = await form_body(request)
        presenter = server.presenter(Headers(tuple(request.headers.raw)), PUSH_PATH)
        return _json(await server.push(form, presenter), 201)

    @router.get(prefix + "/authorize")
    async def authorize(request: Request) -> Response:
        """The page on which a person agrees."""
        pairs = request.query_params.multi_items()
        query = dict(pairs)
        if len(query) != len(pairs):
            raise OAuthError("invalid_request", "a parameter stands twice")
        page, cookie, wish = await server.begin_page(query)
        name = issuer.types[wish["type"]].name
        began_alone = wish["issuer_state"] is None
        text = agreement(f"{prefix}/authorize", page, issuer.config.name, name, wish["client"], asks_offer=began_alone)
        is_tls = issuer.identifier.startswith("https:")
        return page_answer(text, cookie, is_tls=is_tls, path=f"{prefix}/authorize")

    @router.post(prefix + "/authorize")
    async def agree(request: Request) -> Response:
        """The person's answer."""
        with refused_as("invalid_request"):
            form = await form_body(request)
        origin = request.headers.get("origin")
        parts = urlsplit(issuer.identifier)
        if origin not in (None, f"{parts.scheme}://{parts.netloc}"):
            raise OAuthError("invalid_request", "the form was sent by a page of somebody else", status=403)
        url = await server.agree(form, request.cookies.get(COOKIE))
        return Response(status_code=303, headers={**NO_STORE, "location": url})

    @router.post(prefix + TOKEN_PATH)
    async def token(request: Request) -> Response:
        """An access token for an offer's code or for one of the code flow."""
        with refused_as("invalid_request"):
            form = await form_body(request)
        presenter = server.presenter(Headers(tuple(request.headers.raw)), TOKEN_PATH)
        return _json(await server.token(form, presenter))


def _add_credential(router: APIRouter, issuer: Issuer, prefix: str) -> None:
    desk = CredentialDesk(issuer)

    async def read(request: Request) -> JsonObject:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == JWT:
            return decrypted(await request.body(), issuer.request_key)
        try:
            return await json_body(request)
        except MalformedInput as error:
            raise OAuthError("invalid_credential_request", str(error)) from None

    def answered(answer: JsonObject, encryption: JsonObject | None) -> Response:
        status = 202 if "transaction_id" in answer else 200
        if encryption is None:
            return _json(answer, status)
        return Response(encrypted(answer, encryption), status, headers=NO_STORE, media_type=JWT)

    @router.post(prefix + CREDENTIAL_PATH)
    async def credential(request: Request) -> Response:
        """Credentials, one for each proven key (OpenID4VCI 1.0 §8), or what to ask for them by where they are held."""
        bearer = await desk.bearer(Headers(tuple(request.headers.raw)), CREDENTIAL_PATH)
        wanted, said = await desk.wanted(await read(request), bearer)
        if said.response_encryption is not None:
            recipient_of(said.response_encryption)  # before anything is issued that nobody could be sent
        return answered(await desk.issue(wanted, bearer), said.response_encryption)

    @router.post(prefix + DEFERRED_PATH)
    async def deferred(request: Request) -> Response:
        """Credentials that were held (OpenID4VCI 1.0 §9), or the same answer as long as they are."""
        bearer = await desk.bearer(Headers(tuple(request.headers.raw)), DEFERRED_PATH)
        body = await read(request)
        with refused_as("invalid_credential_request"):
            transaction_id, encryption = transaction_asked_for(body)
        if encryption is not None:
            recipient_of(encryption)
        return answered(await desk.collect(transaction_id, bearer), encryption)
