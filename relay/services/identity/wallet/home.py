"""A wallet's folder: keystore, store, and whom its owner trusts.

`keystore.json` is an encrypted V3 keystore whose secret opens the store. `issuers.pem` and `verifiers.pem` are authorities that
certify issuers and verifiers, `issuer-keys.json` keys of issuers without certificates, `tls.pem` authorities of HTTPS beside the
machine's, `provider.toml` who vouches for the wallet: plain files, which their owner may edit.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.base.durable_files import create_durably, make_folder_durably
from hutong.relay.base.os_errors import os_reason
from hutong.relay.base.regular_files import open_regular
from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.keys import KeyUnavailable, create_keystore, new_key, open_keyfile, parse_keyfile
from hutong.relay.services.identity.rules.jose import TrustAnchors, read_anchors, read_key_set
from hutong.relay.services.identity.rules.jose.certificates import MAX_ANCHOR_FILE_BYTES
from hutong.relay.services.identity.rules.openid4vp import VERIFIER_PURPOSES
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust, TrustedKeys
from hutong.relay.services.identity.wallet.errors import WalletUnusable
from hutong.relay.services.identity.wallet.issuing.provider import PROVIDER_FILE
from hutong.relay.services.identity.wallet.store import WalletStore
from hutong.relay.services.identity.wallet.vault import Vault

KEYSTORE: Final = "keystore.json"
STORE: Final = "wallet.sqlite"


class TrustFile(Enum):
    """Whom the owner trusts, by the file that says so."""

    ISSUERS = "issuers.pem"
    ISSUER_KEYS = "issuer-keys.json"
    VERIFIERS = "verifiers.pem"
    TLS = "tls.pem"


class WalletHome:
    """A folder that is, or becomes, a wallet's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, password: bytes, trusted: Mapping[TrustFile, Path], iterations: int | None = None) -> None:
        """Make keystore, store and copies of the files of trust.

        Args:
            iterations: scrypt's N; None: the library's default, which costs a fraction of a second at each opening.

        Raises:
            WalletUnusable: there is a wallet, the password is empty or too long, or a file of trust cannot be read.
        """
        copies = {kind: self._judged(kind, read_trust(path)) for kind, path in trusted.items()}
        try:
            make_folder_durably(self.folder)
            create_keystore(self.folder / KEYSTORE, new_key(), password, iterations)
            for kind, data in copies.items():
                create_durably(self.folder / kind.value, data)
        except KeyUnavailable as error:
            raise WalletUnusable(str(error)) from None
        except OSError as error:
            raise WalletUnusable(os_reason(error)) from None
        WalletStore.create(self.folder / STORE)

    def open(self, password: bytes) -> WalletStore:
        """The store, opened by the password.

        Raises:
            WalletUnusable: no wallet, open to others, damaged, or another password.
        """
        path = self.folder / KEYSTORE
        try:
            secret, _ = open_keyfile(path, parse_keyfile(path, read_private_file(path)), password)
        except KeyUnavailable as error:
            raise WalletUnusable(str(error)) from None
        except UnsafeFile as error:
            raise WalletUnusable(f"{error}; make a wallet by: hutong wallet init") from None
        return WalletStore(self.folder / STORE, Vault(secret))

    def issuers(self) -> IssuerTrust:
        """Who may issue to this wallet: nobody until a file says so.

        Raises:
            WalletUnusable: a file of trust cannot be read.
        """
        keys, anchors = self._file(TrustFile.ISSUER_KEYS), self._file(TrustFile.ISSUERS)
        named = () if keys is None else (TrustedKeys(read_key_set(keys, TrustFile.ISSUER_KEYS.value)),)
        return IssuerTrust(named, None if anchors is None else read_anchors(anchors, TrustFile.ISSUERS.value))

    def verifiers(self) -> TrustAnchors:
        """Who may ask this wallet: nobody until a file says so.

        Raises:
            WalletUnusable: a file of trust cannot be read.
        """
        anchors = self._file(TrustFile.VERIFIERS)
        if anchors is None:
            return TrustAnchors((), VERIFIER_PURPOSES)
        return read_anchors(anchors, TrustFile.VERIFIERS.value, VERIFIER_PURPOSES)

    def tls(self) -> Path | None:
        """Authorities of HTTPS besides the machine's, or None."""
        path = self.folder / TrustFile.TLS.value
        return path if path.is_file() else None

    def provider(self) -> Path | None:
        """The file of who vouches for this wallet, or None."""
        path = self.folder / PROVIDER_FILE
        return path if path.is_file() else None

    def _file(self, kind: TrustFile) -> bytes | None:
        path = self.folder / kind.value
        return self._judged(kind, read_trust(path)) if path.exists() else None

    @staticmethod
    def _judged(kind: TrustFile, data: bytes) -> bytes:
        try:
            if kind is TrustFile.ISSUER_KEYS:
                read_key_set(data, kind.value)
            else:
                read_anchors(data, kind.value)
        except VerificationError as error:
            raise WalletUnusable(str(error)) from None
        return data


def read_trust(path: Path) -> bytes:
    """A file of trust, within its bound.

    Raises:
        WalletUnusable: it cannot be read, or is too large.
    """
    try:
        with open_regular(path) as file:
            data = file.read(MAX_ANCHOR_FILE_BYTES + 1)
    except OSError as error:
        raise WalletUnusable(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_ANCHOR_FILE_BYTES:
        raise WalletUnusable(str(MalformedInput(str(path), f"more than {MAX_ANCHOR_FILE_BYTES} bytes")))
    return data
