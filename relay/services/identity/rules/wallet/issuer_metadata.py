"""What an issuer and its authorisation server say of themselves (OpenID4VCI 1.0 §12.2, RFC 8414), as far as a wallet acts on it.

It came over TLS from the address that the identifier names, and nothing else vouches for it. So it is believed for where to
ask and in which form, and for nothing about credentials: those are judged by the issuer's signature.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import PredicateFailed, UnsupportedOperation, rule
from hutong.light_clients.interface.document import Document, Members
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import read_json_object
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe
from hutong.relay.services.identity.rules.wallet.encryption_offered import OfferedEncryption, encryption_offered
from hutong.relay.services.identity.rules.wallet.offers import MAX_NAME_CHARS
from hutong.relay.services.identity.rules.wallet.proof_demands import ProofDemand, proofs_demanded

MAX_METADATA_BYTES: Final = 1 << 19
MAX_CONFIGURATIONS: Final = 1_024
MAX_BATCH: Final = 100
MAX_LISTED: Final = 64
SD_JWT_VC: Final = "dc+sd-jwt"
ATTESTED_CLIENTS: Final = "attest_jwt_client_auth"


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """One kind of credential that the issuer has, as its metadata names it."""

    name: str
    vct: str
    scope: str | None
    display_name: str | None
    proofs: ProofDemand


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """Where an issuer is asked. `batch_size` is 1 where it gives one credential at a time."""

    issuer: str
    servers: tuple[str, ...]
    credential_endpoint: str
    nonce_endpoint: str | None
    batch_size: int
    configuration: CredentialConfiguration
    deferred_endpoint: str | None = None
    notification_endpoint: str | None = None
    encryption: OfferedEncryption | None = None


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """Where an authorisation server is asked. `takes_dpop` says that a token bound to no key is a step back."""

    issuer: str
    token_endpoint: str
    authorisation_endpoint: str | None
    par_endpoint: str | None
    takes_dpop: bool
    names_itself: bool
    """It sends `iss` with every code (RFC 9207)."""
    takes_attested: bool = False
    """Wallets that a provider attests."""
    takes_others: bool = True
    """Wallets that nobody attests."""
    challenge_endpoint: str | None = None
    """Where an attested wallet gets what its next proof of possession has to answer."""


@rule(f"{drafts.OPENID4VCI} §12.2.4")
def issuer_metadata_well_formed(data: bytes, issuer: str, configuration: str) -> IssuerMetadata:
    """The metadata of this issuer, with the configuration that is wanted of it; others are not read.

    Raises:
        MalformedInput: not such JSON, or JSON that parsers read differently.
        PredicateFailed: of another issuer, without the configuration, or with addresses that are not safe.
        UnsupportedOperation: a configuration of another format or proof, or one that wants what this wallet has not.
    """
    path = "issuer metadata"
    metadata = Document(read_json_object(data, path, MAX_METADATA_BYTES), path).members()
    _demand_own(metadata, "credential_issuer", issuer, "issuer_metadata_well_formed")
    servers = metadata.optional("authorization_servers")
    batch = metadata.optional("batch_credential_issuance")
    listed = metadata["credential_configurations_supported"]
    configurations = {name.value: each for name, each in listed.entries(MAX_CONFIGURATIONS)}
    if configuration not in configurations:
        raise PredicateFailed(
            "issuer_metadata_well_formed", "a configuration that the issuer does not have", configuration
        )
    return IssuerMetadata(
        issuer,
        (issuer,) if servers is None else tuple(_address(each) for each in servers.items(MAX_LISTED, 1)),
        _address(metadata["credential_endpoint"]),
        _optional_address(metadata, "nonce_endpoint"),
        1 if batch is None else min(batch.members()["batch_size"].integer(1, 1 << 31), MAX_BATCH),
        configuration_is_supported(configuration, configurations[configuration]),
        _optional_address(metadata, "deferred_credential_endpoint"),
        _optional_address(metadata, "notification_endpoint"),
        encryption_offered(metadata),
    )


@rule(f"{drafts.OPENID4VCI} §12.2.4, §A.3.2")
def configuration_is_supported(name: str, document: Document) -> CredentialConfiguration:
    """An SD-JWT VC bound to a key by a proof with ES256.

    Raises:
        MalformedInput: members of another shape.
        UnsupportedOperation: another format, or no proof that this wallet can make.
    """
    members = document.members()
    kind = members["format"].text(MAX_NAME_CHARS)
    if kind != SD_JWT_VC:
        raise UnsupportedOperation(f"a credential of format {kind[:64]}", f"{SD_JWT_VC} is")
    proofs = proofs_demanded(members.optional("proof_types_supported"))
    scope = members.optional("scope")
    return CredentialConfiguration(
        name,
        members["vct"].text(MAX_NAME_CHARS, 1),
        None if scope is None else scope.ascii(MAX_NAME_CHARS, 1),
        _display_name(members),
        proofs,
    )


def _display_name(members: Members) -> str | None:
    """A name for people, of the first language; the issuer's word, to be printed as text alone."""
    about = members.optional("credential_metadata")
    shown = members.optional("display") if about is None else about.members().optional("display")
    if shown is None:
        return None
    for each in shown.items(MAX_LISTED):
        name = each.members().optional("name")
        if name is not None:
            return name.text(MAX_NAME_CHARS)
    return None


@rule(f"{drafts.OAUTH_METADATA} §3.3, {drafts.OPENID4VCI} §12.2.4")
def server_is_the_issuers(metadata: IssuerMetadata, named: str | None) -> str:
    """The authorisation server to ask: the one that the offer names, if the issuer has it, or else the issuer's first.

    Raises:
        PredicateFailed: the offer names a server that the issuer does not: it would get the code, and somebody's token.
    """
    if named is None:
        return metadata.servers[0]
    if named not in metadata.servers:
        raise PredicateFailed("server_is_the_issuers", "authorization_server of the offer", named, metadata.servers)
    return named


@rule(f"{drafts.OAUTH_METADATA} §3.3")
def server_metadata_well_formed(data: bytes, server: str) -> ServerMetadata:
    """The metadata of this authorisation server.

    Raises:
        MalformedInput: not such JSON, or JSON that parsers read differently.
        PredicateFailed: of another server, or with addresses that are not safe.
    """
    path = "server metadata"
    metadata = Document(read_json_object(data, path, MAX_METADATA_BYTES), path).members()
    _demand_own(metadata, "issuer", server, "server_metadata_well_formed")
    names_itself = metadata.optional("authorization_response_iss_parameter_supported")
    methods = metadata.optional("token_endpoint_auth_methods_supported")
    known = None if methods is None else [each.text(MAX_NAME_CHARS) for each in methods.items(MAX_LISTED)]
    return ServerMetadata(
        server,
        _address(metadata["token_endpoint"]),
        _optional_address(metadata, "authorization_endpoint"),
        _optional_address(metadata, "pushed_authorization_request_endpoint"),
        "dpop_signing_alg_values_supported" in metadata,
        names_itself is not None and names_itself.flag(),
        known is not None and ATTESTED_CLIENTS in known,
        known is None or ATTESTED_CLIENTS not in known or "none" in known,
        _optional_address(metadata, "challenge_endpoint"),
    )


def _demand_own(metadata: Members, name: str, expected: str, predicate: str) -> None:
    found = metadata[name].text(MAX_NAME_CHARS)
    if found != expected:
        raise PredicateFailed(predicate, name, found, expected)


def _optional_address(metadata: Members, name: str) -> str | None:
    found = metadata.optional(name)
    return None if found is None else _address(found)


def _address(document: Document) -> str:
    return address_is_safe(document.value, document.path)
