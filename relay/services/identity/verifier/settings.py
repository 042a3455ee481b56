"""The `[verifier]` table of `identity.toml`.

Example:

    [verifier]
    key = "verifier.pem"                    # P-256, PKCS #8, mode 0600; or a key's table (docs/keys.md)
    certificates = "verifier-chain.pem"     # its certificate first, without the anchor
    return_to = ["https://shop.example/"]   # where a browser may be led after a wallet answered

    [verifier.hub]                          # for policies that believe accredited issuers
    relay_config = "hutong.toml"            # of which one chain is the hub
    checkpoint = "hub.checkpoint.json"      # what you trust of it

    [verifier.policies.licence]
    title = "Driving licence"
    query = "licence.dcql.json"             # DCQL of OpenID4VP 1.0
    anchors = "issuers.pem"                 # who certifies issuers
    max_status_age_s = 15
    page = true                             # https://…/verify/licence asks anybody
"""

import re
from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config import Problem, TokenKeyConfig, token_key_file_problems
from hutong.relay.config.api import is_loopback
from hutong.relay.config.fields import MAX_URL_CHARS, FilePath, Model
from hutong.relay.services.identity.rules.openid4vp import ClientIdPrefix, ResponseMode
from hutong.relay.services.identity.rules.sd_jwt.policy import DEFAULT_MAX_AGE_S, DEFAULT_SKEW_S, MAX_SPAN_S

MAX_POLICIES = 256
MAX_RETURNS = 64
MAX_LIFE_S = 3_600
POLICY_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"


def check_return(url: str) -> str:
    """An address, or the beginning of addresses, that a browser is led to.

    Raises:
        ValueError: not https outside of this machine, no path, or a query or fragment.
    """
    parts = urlsplit(url)
    if len(url) > MAX_URL_CHARS or not parts.hostname or not parts.path or "@" in parts.netloc:
        raise ValueError("must look like https://shop.example/path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must be https outside of this machine")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment")
    return url


class PolicyHub(Model):
    """That issuers are believed whose accreditation for a schema the hub's records show."""

    schema_sha256: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Of the schema's file, with its prefix: bare digits look like a private key."""
    max_age_s: Annotated[int, Field(ge=1, le=MAX_SPAN_S)] = 15
    """How old the hub's header may be: revocation of any kind is known after so many seconds, with every relay dead."""

    @property
    def schema_hash(self) -> bytes:
        """32 bytes."""
        return bytes.fromhex(self.schema_sha256.partition(":")[2])


class HubTable(Model):
    """The hub that policies with `hub` read."""

    relay_config: FilePath
    """A relay's configuration, which names the hub's nodes."""
    chain: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """The hub's name in it; unneeded where it has one."""
    checkpoint: FilePath
    """What is trusted of the hub, as `hutong audit checkpoint` writes it."""


class PolicyConfig(Model):
    """What is asked for under a name, and who is believed."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    """What people read on the page."""
    query: FilePath
    """JSON: a DCQL query for credentials of format `dc+sd-jwt`."""
    anchors: FilePath | None = None
    """PEM: authorities that certify issuers, and those who sign their status lists."""
    hub: PolicyHub | None = None
    """Beside the anchors or alone: issuers that name themselves by a DID of the hub."""
    response_mode: ResponseMode = Field(default=ResponseMode.DIRECT_POST_JWT, strict=False)
    max_presentation_age_s: Annotated[int, Field(ge=1, le=MAX_SPAN_S)] = DEFAULT_MAX_AGE_S
    max_status_age_s: Annotated[int, Field(ge=1, le=MAX_SPAN_S)] = DEFAULT_MAX_AGE_S
    """How long after signing a status list is taken; its own `ttl` and `exp` count as well."""
    status_required: bool = True
    """Whether a credential that names no status list is refused."""
    page: bool = False
    """Whether anybody may open `/verify/NAME`."""

    @model_validator(mode="after")
    def _somebody_is_believed(self) -> Self:
        if self.anchors is None and self.hub is None:
            raise ValueError("believes no issuer: add anchors or hub")
        return self


class VerifierConfig(Model):
    """Who asks, and what."""

    key: TokenKeyConfig
    """The P-256 key that signs requests: PKCS #8 in PEM, readable by its owner alone, or a key's table."""
    certificates: FilePath
    """PEM: the key's certificate, then those that certify it; the anchor is not among them (HAIP 1.0 §5)."""
    client_id: ClientIdPrefix = Field(default=ClientIdPrefix.X509_HASH, strict=False)
    request_life_s: Annotated[int, Field(ge=30, le=MAX_LIFE_S)] = 300
    result_life_s: Annotated[int, Field(ge=30, le=MAX_LIFE_S)] = 600
    """How long what was shown is kept after the answer, and then removed."""
    max_skew_s: Annotated[int, Field(ge=0, le=MAX_LIFE_S)] = DEFAULT_SKEW_S
    wallet: Annotated[str, Field(pattern=r"^([a-z][a-z0-9+.-]{0,31}://|https://[!-~]{1,200})$")] = "openid4vp://"
    """What links begin with: a scheme of wallets, or the address of one."""
    return_to: Annotated[
        tuple[Annotated[str, AfterValidator(check_return)], ...], Field(max_length=MAX_RETURNS, strict=False)
    ] = ()
    """Addresses that a `redirect_uri` begins with; a last character other than `/` takes this address alone."""
    hub: HubTable | None = None
    policies: Annotated[dict[str, PolicyConfig], Field(min_length=1, max_length=MAX_POLICIES)]

    @model_validator(mode="after")
    def _names_are_names(self) -> Self:
        for name in self.policies:
            if re.fullmatch(POLICY_NAME, name) is None:
                raise ValueError(f"has a policy {name[:64]!r}: names have 1 to 64 of a-z, 0-9 and -")
        return self


def verifier_file_problems(verifier: VerifierConfig, table: str) -> Iterator[Problem]:
    """Files that are missing, or open to others."""
    yield from token_key_file_problems(verifier.key, f"{table}.key")
    files = [(f"{table}.certificates", verifier.certificates)]
    for name, policy in verifier.policies.items():
        files.append((f"{table}.policies.{name}.query", policy.query))
        if policy.anchors is not None:
            files.append((f"{table}.policies.{name}.anchors", policy.anchors))
        if policy.hub is not None and verifier.hub is None:
            yield Problem(f"{table}.policies.{name}.hub", "needs the table [verifier.hub]", "say which hub is read")
    if verifier.hub is not None:
        files.append((f"{table}.hub.relay_config", verifier.hub.relay_config))
        files.append((f"{table}.hub.checkpoint", verifier.hub.checkpoint))
    for field, path in files:
        if not path.is_file():
            yield Problem(field, f"there is no file {path}", "correct the path")
