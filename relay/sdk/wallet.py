"""A wallet of credentials for programs: `Wallet` takes them from issuers and presents them to verifiers and contracts.

It asks issuers and verifiers over HTTPS, not the API of a relay, and needs the extra `wallet`. Every call blocks: under trio it
belongs into a thread. Guide: docs/identity/wallet.md.
"""

from hutong.relay.services.identity.wallet import (
    Consent,
    ContractAnswer,
    ContractCall,
    CredentialsPutOff,
    Holding,
    NothingLeft,
    OpenOffer,
    PeerRefused,
    PeerUnreachable,
    Pending,
    Presented,
    Shown,
    Transport,
    TrustFile,
    Wallet,
    WalletUnusable,
)

__all__ = [
    "Consent",
    "ContractAnswer",
    "ContractCall",
    "CredentialsPutOff",
    "Holding",
    "NothingLeft",
    "OpenOffer",
    "PeerRefused",
    "PeerUnreachable",
    "Pending",
    "Presented",
    "Shown",
    "Transport",
    "TrustFile",
    "Wallet",
    "WalletUnusable",
]
