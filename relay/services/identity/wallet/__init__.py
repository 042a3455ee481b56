"""A wallet: credentials and the keys that they are bound to, in one person's hands (docs/identity/wallet.md)."""

from hutong.relay.services.identity.wallet.consent import Consent, Shown
from hutong.relay.services.identity.wallet.contract_presentation import ContractAnswer, ContractCall
from hutong.relay.services.identity.wallet.errors import (
    CredentialsPutOff,
    NothingLeft,
    PeerRefused,
    PeerUnreachable,
    WalletUnusable,
)
from hutong.relay.services.identity.wallet.holdings import Holding, Presented
from hutong.relay.services.identity.wallet.home import TrustFile
from hutong.relay.services.identity.wallet.issuing.issuance import AcceptedOffer, BrowserStep, OpenOffer
from hutong.relay.services.identity.wallet.issuing.pending import Pending
from hutong.relay.services.identity.wallet.transport import Transport
from hutong.relay.services.identity.wallet.wallet import Wallet

__all__ = [
    "AcceptedOffer",
    "BrowserStep",
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
