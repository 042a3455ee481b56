"""Where a key is: the one interface that every kind of source answers, in this process or far away."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hutong.relay.keys.documents import SigningDocument


class KeyAlgorithm(StrEnum):
    """The curve and the form of what `sign` returns."""

    SECP256K1 = "secp256k1"
    """65 bytes r ‖ s ‖ v: s at most half the order, v 0 or 1."""
    P256 = "p256"
    """64 bytes r ‖ s."""
    ED25519 = "ed25519"
    """64 bytes, over the preimage itself."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """Whether the source would sign now. `detail` is a sentence for the operator, also where it would."""

    ready: bool
    detail: str


class KeySource(Protocol):
    """One key. Nothing of the private part is ever seen by whoever holds a source.

    A source is made without input or output: it knows its public key from the configuration, or from a file that was
    opened before. What it needs (a connection, a process) it opens at the first use, within the run of that use, and
    again after `aclose`.
    """

    @property
    def name(self) -> str:
        """What operators call it in errors and logs, such as `keystore keys/alpha.json`."""

    @property
    def algorithm(self) -> KeyAlgorithm: ...

    @property
    def public_key(self) -> bytes:
        """33 bytes, compressed; 32 of Ed25519."""

    async def sign(self, document: SigningDocument) -> bytes:
        """The signature over the document's digest, in the form of the algorithm, verified before it is returned.

        May be called by many tasks at once. Whether a further call for an equal document gives the same signature is
        the source's affair. The caller bounds the time; a call that was cancelled may have signed.

        Raises:
            SignerUnavailable: it does not answer now; asking again is right.
            SigningRefused: its policy, or that of the signer elsewhere, forbids this document.
            SignerFaulty: the answer is not this key's signature. Nothing was let out.
            DocumentUnsupported: this kind of source never signs such documents.
        """

    async def health(self) -> SourceHealth:
        """Ask, without signing. Never raises; the caller bounds the time."""

    async def aclose(self) -> None:
        """Let go of connections and processes of this run."""
