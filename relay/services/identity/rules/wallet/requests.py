"""A verifier's request before its holder is asked: what OpenID4VP says of it, and what a wallet demands besides.

Nothing outside the signature is used. The signer is the holder of a certificate under an anchor that the wallet's owner
trusts, and its name is that certificate's hash or a host that it names.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import CertifiedKey, TrustAnchors, read_json_object
from hutong.relay.services.identity.rules.openid4vp import (
    AuthorizationRequest,
    RequestDemand,
    RequestLink,
    ResponseMode,
    judge_request,
)
from hutong.relay.services.identity.rules.openid4vp.client_metadata import EncryptionKey
from hutong.relay.services.identity.rules.openid4vp.request import MAX_REQUEST_CHARS
from hutong.relay.services.identity.rules.sd_jwt import Clock
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe, host_of, origin_of
from hutong.relay.services.identity.rules.wallet.issuer_answers import MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class ShowableRequest:
    """A request that may be shown to the holder: `certificate` says who asks, `encryption_key` who can read the answer."""

    request: AuthorizationRequest
    certificate: CertifiedKey
    encryption_key: EncryptionKey

    @property
    def asker(self) -> str:
        """Who asks, for people: the hosts that the certificate names, or else its subject."""
        return ", ".join(self.certificate.hosts) or self.certificate.subject


@rule(f"{drafts.HAIP} §5")
def answer_is_encrypted(request: AuthorizationRequest) -> EncryptionKey:
    """The answer is asked for encrypted, to the verifier's key: nobody on its way learns what was shown.

    Raises:
        PredicateFailed: in the clear.
    """
    key = request.metadata.encryption_key
    if request.response_mode is not ResponseMode.DIRECT_POST_JWT or key is None:
        expected = ResponseMode.DIRECT_POST_JWT.value
        raise PredicateFailed("answer_is_encrypted", "response_mode", request.response_mode.value, expected)
    return key


@rule(f"{drafts.OPENID4VP} §8.2")
def answer_goes_to_the_asker(request: AuthorizationRequest, certificate: CertifiedKey, link: RequestLink) -> str:
    """`response_uri` is on a host that the certificate names, or, where it names none, where the request came from.

    A verifier known by its hash may name any address, says the specification. But a holder is shown who asks, and the answer
    going elsewhere is what a copied request looks like.

    Raises:
        MalformedInput, PredicateFailed: no safe address, or one elsewhere.
    """
    address = address_is_safe(request.response_uri, "request.response_uri")
    if certificate.hosts:
        if host_of(address) not in certificate.hosts:
            raise PredicateFailed("answer_goes_to_the_asker", "host", host_of(address), list(certificate.hosts))
    elif origin_of(address) != origin_of(link.request_uri):
        raise PredicateFailed("answer_goes_to_the_asker", "response_uri", address, link.request_uri)
    return address


def judge_for_holder(
    judge: Judge, token: str, link: RequestLink, wallet_nonce: str | None, trust: tuple[TrustAnchors, Clock]
) -> ShowableRequest:
    """Every rule of a request, before anything of it is shown.

    Args:
        token: as it came from the link's address.
        wallet_nonce: the one that was posted, or None.
        trust: anchors that certify verifiers, and the time.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    anchors, clock = trust
    request, certificate = judge_request(judge, token, RequestDemand(link.client_id, anchors, clock, wallet_nonce))
    key = judge(answer_is_encrypted, request)
    judge(answer_goes_to_the_asker, request, certificate, link)
    return ShowableRequest(request, certificate, key)


@rule(f"{drafts.JAR} §5.2.3")
def request_text_well_formed(data: bytes) -> str:
    """The body of a verifier's answer is one token, with white space around it at most.

    Raises:
        MalformedInput: too long, or not ASCII.
    """
    if len(data) > MAX_REQUEST_CHARS or not data.isascii():
        raise MalformedInput("request", f"is not at most {MAX_REQUEST_CHARS} ASCII characters", got=len(data))
    return data.decode().strip()


@rule(f"{drafts.OPENID4VP} §8.2")
def redirect_after(data: bytes) -> str | None:
    """`redirect_uri` of the answer to a presentation, or None where there is none.

    Raises:
        MalformedInput, PredicateFailed: not JSON, or an address that is not safe.
    """
    if not data.strip():
        return None
    named = read_json_object(data, "verifier's answer", MAX_ANSWER_BYTES).get("redirect_uri")
    return None if named is None else address_is_safe(named, "redirect_uri")
