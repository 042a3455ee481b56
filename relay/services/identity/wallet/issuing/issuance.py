"""Accepting an offer (OpenID4VCI 1.0): metadata, a token, a nonce, proofs of new keys, credentials, each judged before it is kept."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, encode_base64url, write_json
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust
from hutong.relay.services.identity.rules.wallet.addresses import issuer_document, server_document
from hutong.relay.services.identity.rules.wallet.authorisation import (
    authorisation_answer_well_formed,
    pushed_well_formed,
)
from hutong.relay.services.identity.rules.wallet.issuer_answers import (
    MAX_ANSWER_BYTES,
    AccessToken,
    CredentialsLater,
    ReceivedCredentials,
    nonce_well_formed,
    token_well_formed,
)
from hutong.relay.services.identity.rules.wallet.issuer_metadata import (
    MAX_METADATA_BYTES,
    IssuerMetadata,
    ServerMetadata,
    issuer_metadata_well_formed,
    server_is_the_issuers,
    server_metadata_well_formed,
)
from hutong.relay.services.identity.rules.wallet.links import OfferLink
from hutong.relay.services.identity.rules.wallet.offers import (
    CODE,
    MAX_OFFER_BYTES,
    PRE_AUTHORISED,
    CredentialOffer,
    PreAuthorised,
    offer_well_formed,
    transaction_code_fits,
)
from hutong.relay.services.identity.rules.wallet.seals import SEAL_PROOFS
from hutong.relay.services.identity.wallet.errors import PeerUnreachable
from hutong.relay.services.identity.wallet.holder_keys import HolderKey, SealKey
from hutong.relay.services.identity.wallet.holdings import Holding, Instance
from hutong.relay.services.identity.wallet.issuing.attested_client import AttestedClient, attested_client
from hutong.relay.services.identity.wallet.issuing.credential_endpoint import JSON, CredentialEndpoint
from hutong.relay.services.identity.wallet.issuing.dpop import BoundRequests
from hutong.relay.services.identity.wallet.issuing.pending import Pending
from hutong.relay.services.identity.wallet.issuing.proofs import ProofMaker, chosen_proof, most_keys
from hutong.relay.services.identity.wallet.issuing.provider import Provider
from hutong.relay.services.identity.wallet.issuing.wanted import KeyPair, WantedCredentials
from hutong.relay.services.identity.wallet.transport import Transport

CLIENT_ID: Final = "hutong-wallet"
"""Of a wallet that no provider registered: authorisation servers that know their clients refuse it."""


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer with the metadata that it leads to: what the holder sees before anything is asked for."""

    offer: CredentialOffer
    metadata: IssuerMetadata
    server: ServerMetadata

    @property
    def needs_code(self) -> bool:
        """Whether a transaction code has to be typed."""
        early = self.offer.pre_authorised
        return early is not None and early.transaction_code is not None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the issuer would like to be told of, and how (OpenID4VCI 1.0 §11)."""

    endpoint: CredentialEndpoint
    address: str
    notification_id: str

    def send(self, event: str) -> None:
        """Tell the issuer, if it listens: what became of a credential does not depend on it."""
        body = write_json({"notification_id": self.notification_id, "event": event})
        with suppress(PeerUnreachable, VerificationError):
            self.endpoint.post(self.address, body, JSON, MAX_ANSWER_BYTES)


@dataclass(frozen=True, slots=True)
class AcceptedOffer:
    """What came of an offer, not kept yet."""

    holding: Holding
    instances: tuple[Instance, ...]
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class BrowserStep:
    """The code flow in its middle: the holder opens `address` in a browser, which comes back to `redirect_uri`."""

    address: str
    redirect_uri: str
    state: str
    verifier: str
    requests: BoundRequests


def open_offer(transport: Transport, link: OfferLink, configuration: str | None) -> OpenOffer:
    """The offer of a link, and what its issuer and authorisation server say of themselves. Nothing is asked for yet.

    Args:
        configuration: which of several credentials; None: the first that is offered.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
        PeerRefused, PeerUnreachable: one of them did not answer.
    """
    text = (
        link.offer.encode("utf-8", "surrogatepass")
        if link.offer is not None
        else transport.get(link.address or "", JSON, MAX_OFFER_BYTES)
    )
    return open_credential(transport, VERIFY(offer_well_formed, text), configuration)


def open_credential(transport: Transport, offer: CredentialOffer, configuration: str | None) -> OpenOffer:
    """As `open_offer`, of an offer that was read, or of what the holder asks for without one."""
    wanted = offer.configurations[0] if configuration is None else configuration
    if wanted not in offer.configurations:
        raise PredicateFailed("open_offer", "not offered", wanted, list(offer.configurations))
    address = issuer_document(offer.issuer)
    metadata = VERIFY(
        issuer_metadata_well_formed, transport.get(address, JSON, MAX_METADATA_BYTES), offer.issuer, wanted
    )
    grant = offer.pre_authorised or offer.by_authorisation
    server = VERIFY(server_is_the_issuers, metadata, None if grant is None else grant.server)
    described = transport.get(server_document(server), JSON, MAX_METADATA_BYTES)
    return OpenOffer(offer, metadata, VERIFY(server_metadata_well_formed, described, server))


class Issuance:
    """One offer, from a grant to credentials. Its keys are new, and its DPoP key ends with it."""

    def __init__(
        self,
        transport: Transport,
        opened: OpenOffer,
        trust: IssuerTrust,
        now_s: int,
        *,
        is_sealed: bool,
        provider: Provider | None = None,
    ) -> None:
        """`is_sealed`: a seal is asked for with each credential, and demanded. `provider` vouches for wallet and keys."""
        self._is_sealed = is_sealed
        self._provider = provider
        self._transport = transport
        self._opened = opened
        self._trust = trust
        self._now_s = now_s

    def by_pre_authorised_code(self, transaction_code: str | None, most: int) -> AcceptedOffer | Pending:
        """Accept by the code of the offer.

        Args:
            transaction_code: what came by another way, where the offer asks for it.
            most: how many credentials to take, where the issuer gives a batch.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
            PeerRefused, PeerUnreachable: issuer or server did not answer, or will not.
        """
        early = self._pre_authorised()
        code = VERIFY(transaction_code_fits, early, transaction_code)
        fields = {"grant_type": PRE_AUTHORISED, "pre-authorized_code": early.code}
        return self._take(self._requests(), fields if code is None else {**fields, "tx_code": code}, most)

    def in_browser(self, redirect_uri: str) -> BrowserStep:
        """Begin the code flow: what is asked for is pushed, where the server takes that, and an address comes back.

        Args:
            redirect_uri: on this machine, where the wallet listens.

        Raises:
            UnsupportedOperation: the issuer offers no authorisation, or its server has no page.
            PeerRefused, PeerUnreachable: the server did not take the request.
        """
        server = self._opened.server
        if self._opened.offer.by_authorisation is None or server.authorisation_endpoint is None:
            raise UnsupportedOperation("accepting this offer in a browser", "it has no authorisation server's page")
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        requests = self._requests()
        fields = self._authorisation_fields(_name_of(requests), redirect_uri, state, verifier)
        if server.par_endpoint is not None:
            answer = requests.authorise(server.par_endpoint, fields)
            pushed = VERIFY(pushed_well_formed, Transport.demand(answer, server.par_endpoint))
            fields = {"client_id": _name_of(requests), "request_uri": pushed}
        joined = "&" if "?" in server.authorisation_endpoint else "?"
        address = f"{server.authorisation_endpoint}{joined}{urlencode(fields)}"
        return BrowserStep(address, redirect_uri, state, verifier, requests)

    def after_browser(self, step: BrowserStep, query: str, most: int) -> AcceptedOffer | Pending:
        """End the code flow.

        Args:
            query: what the browser brought back to `redirect_uri`, after the question mark.
            most: as in `by_pre_authorised_code`.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold, such as another state.
            PeerRefused, PeerUnreachable: issuer or server did not answer, or will not.
        """
        server = self._opened.server
        code = VERIFY(authorisation_answer_well_formed, query, step.state, server)
        fields = {
            "grant_type": CODE,
            "code": code,
            "redirect_uri": step.redirect_uri,
            "client_id": _name_of(step.requests),
            "code_verifier": step.verifier,
        }
        return self._take(step.requests, fields, most)

    def _pre_authorised(self) -> PreAuthorised:
        early = self._opened.offer.pre_authorised
        if early is None:
            raise UnsupportedOperation("accepting this offer by a code", "it has none; accept it in a browser")
        return early

    def _authorisation_fields(self, client_id: str, redirect_uri: str, state: str, verifier: str) -> dict[str, str]:
        configuration, metadata = self._opened.metadata.configuration, self._opened.metadata
        fields = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": encode_base64url(sha256(verifier.encode())),
            "code_challenge_method": "S256",
        }
        if configuration.scope is not None:
            fields["scope"] = configuration.scope
        else:
            locations: list[JsonValue] = [metadata.issuer]
            detail: JsonObject = {
                "type": "openid_credential",
                "credential_configuration_id": configuration.name,
                "locations": locations,
            }
            fields["authorization_details"] = write_json([detail]).decode()
        grant = self._opened.offer.by_authorisation
        if grant is not None and grant.issuer_state is not None:
            fields["issuer_state"] = grant.issuer_state
        return fields

    def _requests(self) -> BoundRequests:
        """Before anything is spent: what cannot be proven is refused here."""
        chosen_proof(self._opened.metadata.configuration.proofs, self._provider)
        client = attested_client(self._transport, self._provider, self._opened.server, self._now_s)
        return BoundRequests(self._transport, self._now_s, client)

    def _take(self, requests: BoundRequests, fields: Mapping[str, str], most: int) -> AcceptedOffer | Pending:
        server, metadata = self._opened.server, self._opened.metadata
        configuration = metadata.configuration
        count = most_keys(configuration.proofs, self._provider, max(1, min(most, metadata.batch_size)))
        token = VERIFY(
            token_well_formed,
            Transport.demand(requests.authorise(server.token_endpoint, fields), server.token_endpoint),
            configuration.name,
            must_be_bound=server.takes_dpop,
        )
        wanted = WantedCredentials(
            metadata.issuer,
            configuration.name,
            configuration.vct,
            configuration.display_name,
            metadata.batch_size > 1,
            self._is_sealed,
            tuple(KeyPair(HolderKey(), SealKey()) for _ in range(count)),
        )
        endpoint = CredentialEndpoint(requests, token, metadata.encryption)
        body = self._request(token, wanted, requests.client)
        answer = endpoint.credentials(metadata.credential_endpoint, body, count)
        if isinstance(answer, ReceivedCredentials):
            return accepted(wanted, answer, endpoint, metadata.notification_endpoint, (self._trust, self._now_s))
        return self._pending(wanted, answer, endpoint)

    def _pending(self, wanted: WantedCredentials, later: CredentialsLater, endpoint: CredentialEndpoint) -> Pending:
        metadata = self._opened.metadata
        if metadata.deferred_endpoint is None:
            raise PredicateFailed("credentials_come", "credentials come later, and the issuer does not say where")
        return Pending(
            "",
            wanted,
            endpoint.token,
            endpoint.requests.key.secret,
            metadata.deferred_endpoint,
            metadata.notification_endpoint,
            metadata.encryption,
            later.transaction_id,
            self._now_s + later.interval_s,
        )

    def _request(self, token: AccessToken, wanted: WantedCredentials, client: AttestedClient | None) -> JsonObject:
        configuration, issuer = self._opened.metadata.configuration, self._opened.metadata.issuer
        name = None if client is None else client.client_id
        maker = ProofMaker(issuer, self._nonce(token), self._now_s, self._provider, name)
        named: JsonObject = (
            {"credential_configuration_id": configuration.name}
            if token.identifier is None
            else {"credential_identifier": token.identifier}
        )
        proofs = maker.proofs(configuration.proofs, [pair.holder for pair in wanted.keys])
        of_seals: list[JsonValue] = [maker.signed(pair.seal) for pair in wanted.keys] if self._is_sealed else []
        return {**named, "proofs": proofs, **({SEAL_PROOFS: of_seals} if of_seals else {})}

    def _nonce(self, token: AccessToken) -> str | None:
        address = self._opened.metadata.nonce_endpoint
        if address is None:
            return token.nonce
        answer = self._transport.ask("POST", address, {"accept": JSON}, b"", MAX_ANSWER_BYTES)
        nonce: str = VERIFY(nonce_well_formed, Transport.demand(answer, address))
        return nonce


def accepted(
    wanted: WantedCredentials,
    received: ReceivedCredentials,
    endpoint: CredentialEndpoint,
    notifications: str | None,
    by: tuple[IssuerTrust, int],
) -> AcceptedOffer:
    """What may be kept of an answer; an issuer that wants to know is told of one that may not be.

    Args:
        notifications: where the issuer listens.
        by: whom the holder trusts, and the time.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
    """
    said = received.notification_id
    notice = None if notifications is None or said is None else Notice(endpoint, notifications, said)
    try:
        holding, instances = wanted.judged(received.credentials, *by)
    except VerificationError:
        if notice is not None:
            notice.send("credential_failure")
        raise
    return AcceptedOffer(holding, instances, notice)


def collected(transport: Transport, pending: Pending, trust: IssuerTrust, now_s: int) -> AcceptedOffer | Pending:
    """What an issuer gives that put an issuance off, or the same once more put off.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
        PeerRefused, PeerUnreachable: the issuer did not answer, or will not.
    """
    requests = BoundRequests(transport, now_s, secret=pending.request_secret)
    endpoint = CredentialEndpoint(requests, pending.token, pending.encryption)
    body: JsonObject = {"transaction_id": pending.transaction_id}
    answer = endpoint.credentials(pending.endpoint, body, len(pending.wanted.keys))
    if isinstance(answer, CredentialsLater):
        return pending.put_off(answer, now_s)
    return accepted(pending.wanted, answer, endpoint, pending.notification_endpoint, (trust, now_s))


def _name_of(requests: BoundRequests) -> str:
    return CLIENT_ID if requests.client is None else requests.client.client_id
