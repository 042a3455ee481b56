"""The `[login]` table of `identity.toml`. It needs `[verifier]`, by one of whose policies people sign in.

Example:

    [login]
    policy = "licence"
    key = "login.pem"                       # P-256, PKCS #8, mode 0600, or a key's table: signs ID tokens
    pairwise_file = "login-pairwise"        # 32 random bytes or more, mode 0600; changed, everybody is a stranger
    subject = ["licence", "document_number"]   # the query's id, and the claim that tells people apart

    [login.claims]
    given_name = ["licence", "given_name"]  # a claim of the ID token, and where it stands

    [[login.clients]]
    id = "library"
    secret_file = "library-secret"          # mode 0600; leave it out for a public client
    redirect_uris = ["https://library.example/callback"]
    claims = ["given_name"]
"""

from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config import Problem, TokenKeyConfig, UnsafeFile, check_private_file, token_key_file_problems
from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.identity.verifier.settings import VerifierConfig, check_return

MAX_CLIENTS = 1_024
MAX_REDIRECTS = 16
MAX_CLAIMS = 64
RESERVED = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "jti"}
)
"""Claims of an ID token that no credential sets."""
ClaimName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$")]
Place = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(min_length=2, max_length=8, strict=False)
]
"""The id of a credential query, then the names that lead to the claim."""


class ClientConfig(Model):
    """An application that signs people in."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    secret_file: FilePath | None = None
    """A secret of at least 32 characters, such as `openssl rand -hex 32` prints; None for a public client, which PKCE alone
    protects."""
    redirect_uris: Annotated[
        tuple[Annotated[str, AfterValidator(check_return)], ...],
        Field(min_length=1, max_length=MAX_REDIRECTS, strict=False),
    ]
    """Whole addresses: they are compared character by character. All of one host, which a person's `sub` belongs to."""
    claims: Annotated[tuple[ClaimName, ...], Field(max_length=MAX_CLAIMS, strict=False)] = ()
    """Names of `[login.claims]` that this application is told."""

    @model_validator(mode="after")
    def _one_sector(self) -> Self:
        if len({urlsplit(uri).hostname for uri in self.redirect_uris}) != 1:
            raise ValueError("has redirect_uris of several hosts: a person's sub belongs to one")
        return self

    @property
    def sector(self) -> str:
        """The host to which a person's `sub` belongs (OpenID Connect Core 1.0 §8.1)."""
        return urlsplit(self.redirect_uris[0]).hostname or ""


class LoginConfig(Model):
    """How people sign in, and to what."""

    policy: Annotated[str, Field(min_length=1, max_length=64)]
    key: TokenKeyConfig
    """The P-256 key that signs ID tokens: PKCS #8 in PEM, readable by its owner alone, or a key's table."""
    pairwise_file: FilePath
    subject: Place
    claims: Annotated[dict[ClaimName, Place], Field(max_length=MAX_CLAIMS)] = Field(default_factory=dict)
    clients: Annotated[tuple[ClientConfig, ...], Field(min_length=1, max_length=MAX_CLIENTS, strict=False)]


def login_problems(login: LoginConfig, verifier: VerifierConfig | None, table: str) -> Iterator[Problem]:
    """What contradicts itself, and files that are missing or open to others."""
    if verifier is None:
        yield Problem(table, "needs the table [verifier]", "add it: people sign in by one of its policies")
    elif login.policy not in verifier.policies:
        yield Problem(f"{table}.policy", "is not a policy of [verifier]", "name one of verifier.policies")
    for name in sorted(RESERVED & login.claims.keys()):
        yield Problem(f"{table}.claims.{name}", "is a claim that no credential sets", "choose another name")
    seen: set[str] = set()
    for index, client in enumerate(login.clients):
        if client.id in seen:
            yield Problem(f"{table}.clients.{index}.id", "is the id of another client", "give each its own")
        seen.add(client.id)
        if not login.claims.keys() >= set(client.claims):
            yield Problem(f"{table}.clients.{index}.claims", "has one that login.claims does not have", "add it there")
    yield from token_key_file_problems(login.key, f"{table}.key")
    private = [(f"{table}.pairwise_file", login.pairwise_file)]
    for index, client in enumerate(login.clients):
        if client.secret_file is not None:
            private.append((f"{table}.clients.{index}.secret_file", client.secret_file))
    for field, path in private:
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield Problem(field, str(error), "keep it where its owner alone reads it")
