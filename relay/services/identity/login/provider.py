"""OpenID Connect by Authlib: its server judges requests of applications, and codes; what it needs of ours is in this file.

The code flow alone, with PKCE by S256 for every client, ID tokens under ES256, and an access token that opens nothing: all
that an application is told is in the ID token.
"""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import ECKey

from hutong.adapters.interface import SigningFailed
from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.daemon.token_key import TokenKey
from hutong.relay.services.identity.login.settings import ClientConfig, LoginConfig
from hutong.relay.services.identity.login.store import LoginStore
from hutong.relay.services.identity.rules.jose import JsonObject, encode_base64url, key_at
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm

CODE_LIFE_S: Final = 60
TOKEN_LIFE_S: Final = 300
MAX_PARAMETER_CHARS: Final = 2_048
MIN_SECRET_CHARS: Final = 32
SCOPE: Final = "openid"


def read_client_secret(config: ClientConfig) -> bytes:
    """The secret of a client's file, without the end of its line.

    Raises:
        RoleUnusable: it is short, or cannot be read.
    """
    if config.secret_file is None:
        raise TypeError("a public client has no secret")
    try:
        secret = read_private_file(config.secret_file).strip()
    except (OSError, UnsafeFile) as error:
        raise RoleUnusable(f"login.clients {config.id}: {error}") from None
    if len(secret) < MIN_SECRET_CHARS:
        raise RoleUnusable(f"login.clients {config.id}: the secret has fewer than {MIN_SECRET_CHARS} characters")
    return secret


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client of the configuration, as Authlib asks for one."""

    id_token_signed_response_alg = "ES256"  # noqa: S105 - the name of an algorithm

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self._secret = None if config.secret_file is None else read_client_secret(config)

    def get_client_id(self) -> str:
        return self.config.id

    def get_default_redirect_uri(self) -> None:
        """None: a request says which."""

    def get_allowed_scope(self, scope: str | None) -> str:
        return SCOPE if scope and SCOPE in scope.split() else ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.config.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return self._secret is not None and hmac.compare_digest(client_secret.encode(), self._secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if endpoint != "token":
            return False
        return method == "none" if self._secret is None else method.startswith("client_secret_")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Granted(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib has no types
    """What a code stands for."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    nonce: str | None
    auth_time: int
    person: Mapping[str, Any]
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return SCOPE

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        """None: no class of authentication is claimed."""

    def get_amr(self) -> None:
        """None, as `get_acr`."""


class ProviderRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request whose parameters were read before, each of which stands once."""

    def __init__(self, method: str, uri: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> None:
        super().__init__(method, uri, headers=dict(headers))
        self.payload = BasicOAuth2Payload(dict(parameters))
        self._parameters = dict(parameters)

    @property
    def args(self) -> dict[str, str]:
        return self._parameters if self.method == "GET" else {}

    @property
    def form(self) -> dict[str, str]:
        return self._parameters if self.method == "POST" else {}


class _S256(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE of every client, and by S256 alone (RFC 9700 §2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge by S256 is needed", redirect_uri=redirect_uri)
        super().validate_code_challenge(grant, redirect_uri)


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def save_authorization_code(self, code: str, request: Any) -> None:
        self.server.provider.keep(code, request)

    def query_authorization_code(self, code: str, client: Client) -> Granted | None:
        found: Granted | None = self.server.provider.take(code, client)
        return found

    def delete_authorization_code(self, authorization_code: Granted) -> None:
        """It is gone since it was looked for."""

    def authenticate_user(self, authorization_code: Granted) -> Mapping[str, Any]:
        return authorization_code.person


class _HeldKey(ECKey):
    """The key of ID tokens as Authlib's library of tokens asks for one, wherever what signs is."""

    held: TokenKey

    @classmethod
    def of(cls, held: TokenKey, public_jwk: JsonObject) -> "_HeldKey":
        key = cls.import_key({**public_jwk})  # type: ignore[dict-item]  # joserfc names each member
        key.held = held
        return key

    def get_op_key(self, operation: str) -> Any:
        return _Signs(self.held) if operation == "sign" else self.public_key


@dataclass(frozen=True, slots=True)
class _Signs:
    held: TokenKey

    def sign(self, message: bytes, _: object) -> bytes:
        """In DER, with the hash that ES256 has: the key's alone."""
        signature = self.held.sign(message)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        return encode_dss_signature(r, s)


class _IdToken(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, provider: "Provider") -> None:
        super().__init__()
        self._provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """A code is taken once, so that a nonce is the application's alone to judge."""
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        return self._provider.signing_jwk

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now_s = self._provider.now_s()
        life = {"iat": now_s, "exp": now_s + TOKEN_LIFE_S}
        return {"iss": self._provider.issuer, "aud": client.get_client_id(), **life}

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "ES256", "kid": self._provider.kid, "typ": "JWT"}

    def generate_user_info(self, user: Mapping[str, Any], scope: str) -> dict[str, Any]:
        return dict(user)


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, provider: "Provider") -> None:
        super().__init__(scopes_supported=None)
        self.provider = provider

    def query_client(self, client_id: str) -> Client | None:
        return self.provider.clients.get(client_id)

    def save_token(self, token: Any, request: Any) -> None:
        """It opens nothing, so nothing is kept of it."""

    def create_oauth2_request(self, request: ProviderRequest) -> ProviderRequest:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, dict[str, str]]:
        return status, body, dict(headers)


class Provider:
    """The provider of one issuer. Its methods block: call them in a thread."""

    def __init__(self, issuer: str, config: LoginConfig, held: TokenKey, store: LoginStore, common: Common) -> None:
        self.issuer = issuer
        self.clients = {one.id: Client(one) for one in config.clients}
        self.now_s = common.now_s
        self._store = store
        self._random_bytes = common.random_bytes
        self._held = held
        public = key_at(Algorithm.ES256, held.coordinates, "login.key")
        self.kid = encode_base64url(public.thumbprint())
        self._public = public.public_jwk()
        self.signing_jwk: Any = _HeldKey.of(held, self._public)
        self._server = _Server(self)
        self._server.register_grant(_Grant, [_S256(), _IdToken(self)])
        self._server.register_token_generator("default", self._token)

    def key_set(self) -> JsonObject:
        """The public key that ID tokens verify under."""
        return {"keys": [{**self._public, "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def check(self, parameters: Mapping[str, str]) -> None:
        """Whether a request of an application may begin a login.

        Raises:
            OAuth2Error: it may not; with `redirect_uri` where the application may be told.
        """
        self._server.get_consent_grant(self._request("GET", parameters))

    def authorized(self, parameters: Mapping[str, str], person: Mapping[str, Any] | None) -> str:
        """Where the browser goes, with a code, or with `access_denied` where nobody signed in.

        Raises:
            OAuth2Error: the request is not one any more, such as for a client that was removed.
        """
        request = self._request("GET", parameters)
        grant = self._server.get_authorization_grant(request)
        _, _, headers = self._server.create_authorization_response(request, person, grant)
        location: str = headers.get("Location", "")
        if not location:
            raise OAuth2Error(description="the request is not one any more")
        return location

    @property
    def key_problem(self) -> str | None:
        """Why the last ID token was not signed; None after one that was."""
        return self._held.problem

    async def aclose(self) -> None:
        """Let go of what holds the key."""
        await self._held.aclose()

    def token(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Status, document and headers of the token end point's answer.

        Raises:
            SigningFailed: the key is elsewhere, and what holds it does not sign. The code is good as before.
        """
        request = self._request("POST", form, headers)
        try:
            answer: tuple[int, Any, dict[str, str]] = self._server.create_token_response(request)
        except SigningFailed:
            # It was taken by this request alone, and nothing was made of it.
            granted: Granted = request.authorization_code
            self._store.keep_code(form["code"], granted.client_id, asdict(granted), granted.auth_time + CODE_LIFE_S)
            raise
        return answer

    def keep(self, code: str, request: Any) -> None:
        """What a new code stands for. `request.user` is the person who signed in."""
        data = request.payload.data
        granted = {
            "client_id": request.client.get_client_id(),
            "redirect_uri": data["redirect_uri"],
            "code_challenge": data["code_challenge"],
            "nonce": data.get("nonce"),
            "auth_time": self.now_s(),
            "person": dict(request.user),
        }
        self._store.keep_code(code, granted["client_id"], granted, self.now_s() + CODE_LIFE_S)

    def take(self, code: str, client: Client) -> Granted | None:
        """What a code of this client stands for, once."""
        found = self._store.take_code(code, client.get_client_id(), self.now_s())
        return None if found is None else Granted(**found)

    def _token(self, **_: Any) -> dict[str, Any]:
        opens_nothing = encode_base64url(self._random_bytes(32))
        return {"token_type": "Bearer", "access_token": opens_nothing, "expires_in": TOKEN_LIFE_S, "scope": SCOPE}

    def _request(
        self, method: str, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> ProviderRequest:
        # Authlib takes addresses over TLS alone; whether this one is, the configuration has judged
        uri = "https://" + self.issuer.partition("://")[2]
        return ProviderRequest(method, uri, parameters, headers or {})
