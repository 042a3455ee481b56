"""From a request to a signature: which key, which document, and what is answered where nothing is signed."""

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from hutong.adapters.interface import DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningFailed
from hutong.relay.keys import ForeignDocument, KeySource
from hutong.relay.keys.documents import (
    DocumentKind,
    SigningDocument,
    check_cosmos_transaction,
    parse_cosmos_transaction,
    parse_transaction,
    parse_typed_data,
)
from hutong.relay.keys.documents.typed_data import PREFIX
from hutong.relay.keys.sources.eth1_api import RefusalCode, identifier_of
from hutong.relay.telemetry import get_logger

_V_OFFSET = 27


@dataclass(eq=False)
class NotSigned(Exception):
    """What whoever asked is told."""

    code: RefusalCode
    reason: str

    def __str__(self) -> str:
        return self.reason


class SigningDesk:
    """The keys of one signer by what they are asked for. Each source is under its policy, and writes into the record."""

    def __init__(self, sources: Sequence[KeySource], timeout_s: float) -> None:
        self._sources = {identifier_of(source.public_key): source for source in sources}
        self._timeout_s = timeout_s
        self._log = get_logger("signing")

    @property
    def identifiers(self) -> list[str]:
        """Of the keys, in their order: `0x` and 128 hex digits."""
        return list(self._sources)

    def named(self, identifier: str) -> KeySource:
        """The key that a request names, by 64 bytes in hex, with or without `0x` or the prefix 04.

        Raises:
            NotSigned: there is no such key.
        """
        digits = identifier.lower().removeprefix("0x")
        if len(digits) == 130:
            digits = digits.removeprefix("04")
        source = self._sources.get(f"0x{digits}")
        if source is None:
            raise NotSigned(RefusalCode.UNKNOWN_KEY, "this signer does not have the key")
        return source

    async def sign(self, source: KeySource, document: SigningDocument) -> bytes:
        """65 bytes r ‖ s ‖ v, v 27 or 28.

        Raises:
            NotSigned: the policy forbids it, or what holds the key does not sign now.
        """
        try:
            with trio.fail_after(self._timeout_s):
                signature = await source.sign(document)
        except (SigningFailed, trio.TooSlowError) as error:
            refused = self._refusal(error)
            self._log.warning(
                "a document is not signed", key=source.name, document=document.summary, reason=refused.reason
            )
            raise refused from None
        self._log.info("signed", key=source.name, document=document.summary)
        return signature[:64] + bytes([_V_OFFSET + signature[64]])

    async def unwell(self) -> dict[str, str]:
        """By identifier, why a key would not sign now; empty where all would."""
        found: dict[str, str] = {}

        async def ask(identifier: str, source: KeySource) -> None:
            with trio.move_on_after(self._timeout_s) as scope:
                health = await source.health()
                if not health.ready:
                    found[identifier] = health.detail
            if scope.cancelled_caught:
                found[identifier] = f"{source.name}: gave no answer in {self._timeout_s:g} s"

        async with trio.open_nursery() as nursery:
            for identifier, source in self._sources.items():
                nursery.start_soon(ask, identifier, source)
        return found

    def _refusal(self, error: SigningFailed | trio.TooSlowError) -> NotSigned:
        match error:
            case SignerUnavailable() | SignerFaulty():
                return NotSigned(RefusalCode.UNAVAILABLE, error.reason)
            case DocumentUnsupported():
                return NotSigned(RefusalCode.UNSUPPORTED, error.reason)
            case SigningFailed():
                return NotSigned(RefusalCode.REFUSED, error.reason)
        return NotSigned(RefusalCode.UNAVAILABLE, f"what holds the key gave no answer in {self._timeout_s:g} s")


def document_of_keccak(data: bytes) -> SigningDocument:
    """What is hashed with Keccak-256: a struct of EIP-712, or a transaction.

    Raises:
        NotSigned: it is neither, so nobody can say what would be signed.
    """
    try:
        return parse_typed_data(data) if data.startswith(PREFIX) else parse_transaction(data)
    except ForeignDocument as error:
        raise NotSigned(RefusalCode.MALFORMED, str(error)) from None


def document_of_kind(kind: object, data: bytes, public_key: bytes) -> SigningDocument:
    """What is hashed otherwise, by the name of its kind.

    Raises:
        NotSigned: a kind that has no place here, or data that are not of it.
    """
    if kind != DocumentKind.COSMOS_TRANSACTION:
        raise NotSigned(RefusalCode.UNSUPPORTED, f"documents of kind {str(kind)[:40]!r} are not signed here")
    try:
        document = parse_cosmos_transaction(data)
        check_cosmos_transaction(document, public_key, None)
    except ForeignDocument as error:
        raise NotSigned(RefusalCode.MALFORMED, str(error)) from None
    return document
