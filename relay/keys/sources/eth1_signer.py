"""The kind `eth1-signer`: another process holds the key and signs over REST, stock Web3Signer or `hutong signer run`."""

import json
from typing import Any
from urllib.parse import urlsplit

import trio

from hutong.adapters.interface import BadAnswer, DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningRefused
from hutong.adapters.rpc import (
    AccessList,
    AccessUnusable,
    AttemptFailed,
    Endpoint,
    EndpointAccess,
    RpcOptions,
    tls_context,
)
from hutong.adapters.rpc.transport import HttpClient, new_http_client
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.errors import shown
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.config import Eth1SignerConfig, UnsafeFile, check_private_file
from hutong.relay.keys.documents import DocumentKind, Hashing, SigningDocument
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.signatures import finished_signature
from hutong.relay.keys.source import KeyAlgorithm, SourceHealth
from hutong.relay.keys.sources.eth1_api import (
    HUTONG_SIGN_PATH,
    MAX_ANSWER_BYTES,
    MAX_KEYS_BYTES,
    PUBLIC_KEYS_PATH,
    SIGN_PATH,
    SIGNATURE_BYTES,
    UPCHECK_PATH,
    RefusalCode,
    identifier_of,
)

ATTEMPTS = 3
BACKOFF_FIRST_S = 0.1
"""Between attempts of one call, doubled each time: for a connection that was just closed, not for a signer that is away."""
_CONSENSUS = frozenset(
    {
        DocumentKind.CONSENSUS_VOTE,
        DocumentKind.CONSENSUS_PROPOSAL,
        DocumentKind.CONSENSUS_SKIP,
        DocumentKind.CONSENSUS_VOTE_EXTENSION,
        DocumentKind.JWS,
    }
)
_OPERATION = "sign"


class Eth1Signer:
    """One key of a signer. `timeout_ms` of its configuration bounds an exchange, the caller's deadline the whole call.

    What is signed with Keccak-256 is asked for as Web3Signer has it; a transaction of a Cosmos chain by the path that
    `hutong signer` has besides. Votes are never asked for: who signs them keeps a record, which this interface has not.
    """

    def __init__(self, config: Eth1SignerConfig) -> None:
        """Raises KeyUnavailable where certificate, key or authority cannot be used. The signer itself may be away."""
        self._name = config.place
        self._public_key = config.key
        self._timeout_s = config.timeout_ms / 1000
        self._in_flight = config.in_flight
        self._access = _access_of(config)
        base, self._identifier = config.url.rstrip("/"), identifier_of(config.key)
        self._base = Endpoint(base, RpcOptions())
        self._sign = Endpoint(base + SIGN_PATH + self._identifier, RpcOptions())
        self._hutong_sign = Endpoint(base + HUTONG_SIGN_PATH + self._identifier, RpcOptions())
        self._client: HttpClient | None = None

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._name

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return KeyAlgorithm.SECP256K1

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._public_key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`. Asking again after a lost answer is harmless: a document has one meaning, however often signed."""
        if document.kind in _CONSENSUS:
            raise DocumentUnsupported(self._name, f"a {document.kind} is not signed over the REST of Web3Signer")
        asked: dict[str, Any] = {"data": f"0x{document.preimage.hex()}"}
        endpoint = self._sign
        if document.hashing is not Hashing.KECCAK256:
            endpoint, asked = self._hutong_sign, {"kind": str(document.kind)} | asked
        answer = await self._asked_again(endpoint, json.dumps(asked).encode(), document)
        return finished_signature(self._name, self._public_key, document.digest, self._read(answer)[:64])

    async def health(self) -> SourceHealth:
        """See `KeySource`: the signer is up, and has the key."""
        try:
            with trio.fail_after(self._timeout_s):
                await self._http.get(self._base, UPCHECK_PATH, "upcheck", MAX_ANSWER_BYTES)
                listed = await self._http.get(self._base, PUBLIC_KEYS_PATH, "publicKeys", MAX_KEYS_BYTES)
            keys = parse_json(listed, "publicKeys", MAX_KEYS_BYTES)
        except (AttemptFailed, BadAnswer, MalformedInput, trio.TooSlowError) as error:
            return SourceHealth(ready=False, detail=f"{self._name}: {_reason(error, self._timeout_s)}")
        if not isinstance(keys, list) or self._identifier not in [str(key).lower() for key in keys]:
            return SourceHealth(ready=False, detail=f"{self._name}: does not have the key {self._public_key.hex()}")
        return SourceHealth(ready=True, detail=f"{self._name}: has the key")

    async def aclose(self) -> None:
        """See `KeySource`."""
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)

    @property
    def _http(self) -> HttpClient:
        if self._client is None:
            self._client = new_http_client(self._in_flight, self._access)
        return self._client

    async def _asked_again(self, endpoint: Endpoint, body: bytes, document: SigningDocument) -> bytes:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(BACKOFF_FIRST_S * 2 ** (attempt - 1))
            try:
                with trio.fail_after(self._timeout_s):
                    return await self._http.post(endpoint, _OPERATION, body, MAX_ANSWER_BYTES)
            except AttemptFailed as error:
                reason = _reason(error, self._timeout_s)
            except trio.TooSlowError as error:  # it may be at work: asking more would only queue there
                raise SignerUnavailable(self._name, _reason(error, self._timeout_s)) from None
            except BadAnswer as error:
                raise self._refusal_of_status(error, document) from None
        raise SignerUnavailable(self._name, reason)

    def _refusal_of_status(self, error: BadAnswer, document: SigningDocument) -> Exception:
        if error.field != "status":
            return SignerFaulty(self._name, f"answers badly: {error.field} {error.reason}")
        if error.got == 404 and document.hashing is not Hashing.KECCAK256:
            return DocumentUnsupported(
                self._name, f"has no path for a {document.kind}: Web3Signer signs Keccak-256 alone, hutong signer both"
            )
        if error.got == 404:
            return SigningRefused(self._name, f"does not have the key {self._public_key.hex()}")
        return SigningRefused(self._name, f"refuses with HTTP status {error.got}")

    def _read(self, answer: bytes) -> bytes:
        """The 65 bytes of a signature; whose it is, is judged by the caller."""
        text = answer.strip()
        if text.startswith(b"{"):
            raise self._refusal(text)
        digits = text.strip(b'"').removeprefix(b"0x")
        try:
            signature = bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            signature = b""
        if len(signature) != SIGNATURE_BYTES:
            raise SignerFaulty(self._name, f"answers what is not a signature of {SIGNATURE_BYTES} bytes")
        return signature

    def _refusal(self, text: bytes) -> Exception:
        try:
            said = parse_json(text, "refusal", MAX_ANSWER_BYTES)
        except MalformedInput:
            return SignerFaulty(self._name, "answers what is neither a signature nor JSON")
        code = said.get("code") if isinstance(said, dict) else None
        message = shown(said.get("message", "no reason given")) if isinstance(said, dict) else "no reason given"
        match code:
            case RefusalCode.UNAVAILABLE:
                return SignerUnavailable(self._name, message)
            case RefusalCode.UNSUPPORTED | RefusalCode.MALFORMED:
                return DocumentUnsupported(self._name, message)
        return SigningRefused(self._name, message)


def _access_of(config: Eth1SignerConfig) -> AccessList:
    if config.ca_file is None and config.client_certificate is None:
        return AccessList()
    try:
        if config.client_key is not None:
            check_private_file(config.client_key)
        tls = tls_context(config.ca_file, config.client_certificate, config.client_key)
    except (AccessUnusable, UnsafeFile) as error:
        raise KeyUnavailable(config.place, str(error)) from None
    return AccessList((EndpointAccess(urlsplit(config.url).hostname or "", None, (), tls),))


def _reason(error: Exception, timeout_s: float) -> str:
    return f"gave no answer in {timeout_s:g} s" if isinstance(error, trio.TooSlowError) else str(error)
