"""What the end points of an issuer stand on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.issuer.credentials import CredentialMaker
from hutong.relay.services.identity.issuer.ledger import IssuerLedger
from hutong.relay.services.identity.issuer.nonces import TimedNonces
from hutong.relay.services.identity.issuer.settings import CredentialConfig, IssuerConfig
from hutong.relay.services.identity.rules.jose import JsonObject, TrustAnchors, encode_base64url
from hutong.relay.services.identity.rules.jose.jwe import DecryptionKey
from hutong.relay.services.identity.rules.openid4vci.client_attestations import AttestedClient, judge_client_attestation
from hutong.relay.services.identity.rules.openid4vci.dpop import DPOP_AGE_S, DpopDemand, DpopProof, judge_dpop
from hutong.relay.services.identity.rules.openid4vci.tokens import PROOF_AGE_S
from hutong.relay.services.identity.rules.sd_jwt.policy import DEFAULT_SKEW_S, Clock
from hutong.relay.services.identity.store.seen import SeenBefore, see_once

SECRET_BYTES = 32
CHALLENGE_HEADER = "OAuth-Client-Attestation-Challenge"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the issuer believes about wallets; None where it asks nobody."""

    providers: TrustAnchors | None
    attesters: TrustAnchors | None


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. `identifier` is the credential issuer identifier and that of its authorization server."""

    identifier: str
    config: IssuerConfig
    common: Common
    ledger: IssuerLedger
    maker: CredentialMaker
    trust: Trust
    nonces: TimedNonces
    """Of key proofs."""
    dpop_nonces: TimedNonces
    challenges: TimedNonces
    """Of attested wallets."""
    request_key: DecryptionKey
    """To which requests may be encrypted."""
    request_jwk: JsonObject
    """Its public half, as the metadata has it."""

    @property
    def types(self) -> Mapping[str, CredentialConfig]:
        """By identifier."""
        return {one.id: one for one in self.config.credentials}

    @property
    def clock(self) -> Clock:
        """Now."""
        return Clock(self.common.now_s(), DEFAULT_SKEW_S)

    def new_secret(self) -> str:
        """256 random bits as text."""
        return encode_base64url(self.common.random_bytes(SECRET_BYTES))

    def url(self, path: str) -> str:
        """Of an end point, as wallets call it."""
        return f"{self.identifier}{path}"

    def judged_dpop(
        self, headers: "list[str]", path: str, access_token: str | None = None, thumbprint: str | None = None
    ) -> DpopProof | None:
        """The DPoP proof of a request, every rule but `jti`, which `once` sees to; None where it brings none.

        Args:
            headers: the values of its `DPoP` headers.

        Raises:
            OAuthError: invalid_dpop_proof, or use_dpop_nonce with a nonce.
        """
        if not headers:
            return None
        if len(headers) > 1:
            raise OAuthError("invalid_dpop_proof", "the request has more than one DPoP header")
        nonces = self.dpop_nonces if self.config.dpop_nonces else None
        demand = DpopDemand("POST", self.url(path), self.clock, access_token, thumbprint, nonces)
        try:
            return judge_dpop(VERIFY, headers[0], demand)
        except VerificationError as error:
            if getattr(error, "predicate", None) == "proof_has_the_servers_nonce":
                said = {"DPoP-Nonce": self.dpop_nonces.new()}
                raise OAuthError("use_dpop_nonce", "the proof needs the nonce of this answer", headers=said) from None
            raise OAuthError("invalid_dpop_proof", str(error)) from None

    def judged_client(self, attestations: "list[str]", possessions: "list[str]") -> AttestedClient | None:
        """The wallet that a provider attests; None where no provider is configured.

        Raises:
            OAuthError: invalid_client: it is not attested, or not as the rules say; use_attestation_challenge with one.
        """
        if self.trust.providers is None:
            return None
        if len(attestations) != 1 or len(possessions) != 1:
            raise OAuthError(
                "invalid_client",
                "a wallet is attested here: send one OAuth-Client-Attestation and one OAuth-Client-Attestation-PoP",
                status=401,
            )
        challenges = self.challenges if self.config.attestation_challenges else None
        try:
            return judge_client_attestation(
                VERIFY, attestations[0], possessions[0], self.trust.providers, self.identifier, self.clock, challenges
            )
        except VerificationError as error:
            if getattr(error, "predicate", None) == "possession_answers_a_challenge":
                said = {CHALLENGE_HEADER: self.challenges.new()}
                raise OAuthError(
                    "use_attestation_challenge", "answer the challenge of this answer", headers=said
                ) from None
            raise OAuthError("invalid_client", str(error), status=401) from None

    def once(self, connection: Connection, proof: DpopProof | None, client: AttestedClient | None) -> None:
        """A proof of possession comes once.

        Raises:
            OAuthError: it came before.
        """
        now_s = self.common.now_s()
        try:
            if proof is not None:
                key = f"{encode_base64url(proof.key.thumbprint())} {proof.jti}"
                see_once(connection, "dpop", key, now_s + DPOP_AGE_S + 2 * DEFAULT_SKEW_S, now_s)
            if client is not None:
                key = f"{encode_base64url(client.key.thumbprint())} {client.jti}"
                see_once(connection, "client", key, now_s + PROOF_AGE_S + 2 * DEFAULT_SKEW_S, now_s)
        except SeenBefore as error:
            code = "invalid_dpop_proof" if error.kind == "dpop" else "invalid_client"
            raise OAuthError(code, "this proof of possession came once already") from None


@contextmanager
def refused_as(code: str, status: int = 400) -> Iterator[None]:
    """What a rule refuses, as an error of the protocol.

    Raises:
        OAuthError: with `code`, and the rule's own sentence.
    """
    try:
        yield
    except VerificationError as error:
        raise OAuthError(code, str(error), status=status) from None
