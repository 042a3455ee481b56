"""The wallet as programs use it; `hutong wallet` and the SDK are its two doors.

    with Wallet.open(home, password) as wallet:
        opened = wallet.open_offer(link)
        holding = wallet.accept(opened, transaction_code="4711")
        consent = wallet.propose(wallet.fetch_request(request_link))   # shows who asks, and what would be disclosed
        wallet.present(consent)                                        # only now something leaves

Every call blocks: under trio it belongs into a thread. One `Wallet` is for one thread; processes may share a folder.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.openid4vp import RequestLink
from hutong.relay.services.identity.rules.wallet.links import OfferLink, read_link
from hutong.relay.services.identity.rules.wallet.offers import asked_without_an_offer
from hutong.relay.services.identity.rules.wallet.requests import ShowableRequest
from hutong.relay.services.identity.wallet import presentation
from hutong.relay.services.identity.wallet.consent import Consent
from hutong.relay.services.identity.wallet.contract_presentation import ContractAnswer, ContractCall, answer_contract
from hutong.relay.services.identity.wallet.errors import CredentialsPutOff, PeerRefused, WalletUnusable
from hutong.relay.services.identity.wallet.holdings import Holding, Instance, Presented
from hutong.relay.services.identity.wallet.home import TrustFile, WalletHome
from hutong.relay.services.identity.wallet.issuing.issuance import (
    AcceptedOffer,
    BrowserStep,
    Issuance,
    OpenOffer,
    collected,
    open_credential,
    open_offer,
)
from hutong.relay.services.identity.wallet.issuing.pending import Pending
from hutong.relay.services.identity.wallet.issuing.provider import load_provider
from hutong.relay.services.identity.wallet.store import WalletStore
from hutong.relay.services.identity.wallet.transport import Transport

DEFAULT_BATCH: Final = 20
MAX_DIARY: Final = 1_000
NONCE_BITS: Final = 128
_OVER: Final = ("invalid_transaction_id", "credential_request_denied")
"""By which an issuer says that what it put off will not come (OpenID4VCI 1.0 §9.3)."""


def _now_s() -> int:
    return int(time.time())


class Wallet:
    """An open wallet."""

    def __init__(
        self,
        home: WalletHome,
        store: WalletStore,
        transport: Transport,
        clock: Callable[[], int] = _now_s,
        provider: Path | None = None,
    ) -> None:
        """`clock` gives Unix seconds; `provider` is the file of who vouches for the wallet, read when it is needed."""
        self._provider = provider
        self._home = home
        self._store = store
        self._transport = transport
        self._clock = clock

    @staticmethod
    def create(
        folder: Path, password: bytes, trusted: Mapping[TrustFile, Path] | None = None, iterations: int | None = None
    ) -> None:
        """Make a wallet in a folder that has none; see `WalletHome.create`.

        Raises:
            WalletUnusable: there is one, or it cannot be made.
        """
        WalletHome(folder).create(password, trusted or {}, iterations)

    @classmethod
    def open(
        cls,
        folder: Path,
        password: bytes,
        transport: Transport | None = None,
        clock: Callable[[], int] = _now_s,
        provider: Path | None = None,
    ) -> Self:
        """Open a wallet. Costs a deliberate fraction of a second (the key derivation).

        Args:
            transport: how issuers and verifiers are asked; None: over the network, with the folder's `tls.pem`.
            clock: Unix seconds.
            provider: file of who vouches for the wallet; None: the folder's `provider.toml`, if it is there.

        Raises:
            WalletUnusable: no wallet, open to others, damaged, or another password.
        """
        home = WalletHome(folder)
        store = home.open(password)
        return cls(home, store, transport or Transport.over_network(home.tls()), clock, provider or home.provider())

    def holdings(self) -> list[Holding]:
        """What the wallet holds, the oldest first."""
        return self._store.holdings()

    def holding(self, name: str) -> Holding:
        """The holding of a name.

        Raises:
            WalletUnusable: there is none.
        """
        found = self._store.holding(name)
        if found is None:
            raise WalletUnusable(f"there is no credential {name[:64]} in this wallet; see hutong wallet list")
        return found

    def left(self, holding: Holding) -> int:
        """How many of its credentials were never presented."""
        return self._store.left(holding.name)

    def instances(self, holding: Holding) -> list[Instance]:
        """Its credentials with their secrets: for an export that the owner asked for, and for nothing else."""
        return [self._store.instance(holding.name, number) for number in range(holding.count)]

    def diary(self, most: int = MAX_DIARY) -> list[Presented]:
        """What was presented to whom, the newest first."""
        return self._store.diary(most)

    def forget(self, holding: Holding) -> bool:
        """Remove a holding with its keys, and whether it was there."""
        return self._store.forget(holding.name)

    def open_offer(self, link: str, configuration: str | None = None) -> OpenOffer:
        """What a link offers, to be shown to the holder; see `issuance.open_offer`.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
            PeerRefused, PeerUnreachable: issuer or server did not answer.
        """
        read = read_link(link)
        if not isinstance(read, OfferLink):
            raise MalformedInput("link", "asks for a presentation, and offers nothing")
        return open_offer(self._transport, read, configuration)

    def open_issuer(self, issuer: str, configuration: str) -> OpenOffer:
        """What the holder asks an issuer for by itself, without an offer; the person is identified in a browser then.

        Args:
            issuer: its identifier, an https URL.
            configuration: which of its credentials, by the name in its metadata.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
            PeerRefused, PeerUnreachable: issuer or server did not answer.
        """
        return open_credential(self._transport, asked_without_an_offer(issuer, configuration), configuration)

    def accept(
        self,
        opened: OpenOffer,
        transaction_code: str | None = None,
        most: int = DEFAULT_BATCH,
        *,
        with_seals: bool = False,
    ) -> Holding:
        """Accept by the offer's code; see `Issuance.by_pre_authorised_code` for arguments and other errors.

        Raises:
            CredentialsPutOff: the issuer is not ready; `collect` asks again.
            WalletUnusable: the provider's file is none, or its key does not sign.

        Args:
            with_seals: ask for a seal for contracts with each credential; an issuer that makes none refuses then.
        """
        issuance = self._issuance(opened, is_sealed=with_seals)
        return self._keep(issuance.by_pre_authorised_code(transaction_code, most))

    def begin_in_browser(self, opened: OpenOffer, redirect_uri: str) -> BrowserStep:
        """Begin the code flow; see `Issuance.in_browser`."""
        return self._issuance(opened, is_sealed=False).in_browser(redirect_uri)

    def accept_after_browser(
        self,
        opened: OpenOffer,
        step: BrowserStep,
        query: str,
        most: int = DEFAULT_BATCH,
        *,
        with_seals: bool = False,
    ) -> Holding:
        """End the code flow; see `Issuance.after_browser`, and `accept` for seals and what is put off."""
        return self._keep(self._issuance(opened, is_sealed=with_seals).after_browser(step, query, most))

    def pending(self) -> list[Pending]:
        """What issuers put off, the oldest first."""
        return self._store.pending()

    def collect(self, pending: Pending) -> Holding:
        """Ask for what an issuer put off. It is kept until it comes, the issuer refuses for good, or `give_up`.

        Raises:
            CredentialsPutOff: not yet.
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
            PeerRefused, PeerUnreachable: the issuer did not answer, or will not.
        """
        try:
            found = collected(self._transport, pending, self._home.issuers(), self._clock())
        except PeerRefused as error:
            if error.reason.startswith(_OVER):
                self._store.give_up(pending.name)
            raise
        if isinstance(found, Pending):
            raise self._put_off(found)
        return self._told(self._store.came(pending, found.holding, found.instances), found)

    def give_up(self, pending: Pending) -> bool:
        """Forget what an issuer put off, with its keys, and whether it was there."""
        return self._store.give_up(pending.name)

    def fetch_request(self, link: str) -> ShowableRequest:
        """Who asks for what by a link; see `presentation.fetch_request`.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
            PeerRefused, PeerUnreachable: the verifier did not answer.
        """
        read = read_link(link)
        if not isinstance(read, RequestLink):
            raise MalformedInput("link", "offers credentials, and asks for nothing")
        return presentation.fetch_request(self._transport, read, self._home.verifiers(), self._clock())

    def propose(self, showable: ShowableRequest, wanted: Mapping[str, str] | None = None) -> Consent:
        """What would be presented, to be shown to the holder; see `presentation.propose`."""
        return presentation.propose(self._store, showable, wanted or {})

    def present(self, consent: Consent) -> str | None:
        """Present what the holder agreed to; see `presentation.answer`."""
        return presentation.answer(self._transport, self._store, consent, self._clock())

    def decline(self, showable: ShowableRequest) -> str | None:
        """Tell the verifier that nothing is presented; see `presentation.decline`."""
        return presentation.decline(self._transport, showable)

    def present_to_contract(
        self, holding: Holding, call: ContractCall, claims: Sequence[str], within_s: int, nonce: int | None = None
    ) -> ContractAnswer:
        """The holder's presentation of a seal for one call; see `answer_contract` for errors. Nothing is sent.

        Args:
            claims: names to disclose.
            within_s: seconds from now in which the contract accepts it.
            nonce: of this holder at this gate; None: a random one.
        """
        now_s = self._clock()
        chosen = secrets.randbits(NONCE_BITS) if nonce is None else nonce
        return answer_contract(self._store, holding, call, claims, (chosen, now_s + within_s, now_s))

    def close(self) -> None:
        """Close the store and connections."""
        self._store.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _issuance(self, opened: OpenOffer, *, is_sealed: bool) -> Issuance:
        now_s, trust = self._clock(), self._home.issuers()
        vouches = None if self._provider is None else load_provider(self._provider)
        return Issuance(self._transport, opened, trust, now_s, is_sealed=is_sealed, provider=vouches)

    def _keep(self, found: AcceptedOffer | Pending) -> Holding:
        if isinstance(found, Pending):
            raise self._put_off(found)
        return self._told(self._store.add(found.holding, found.instances), found)

    def _put_off(self, pending: Pending) -> CredentialsPutOff:
        kept = self._store.put_off(pending)
        return CredentialsPutOff(kept.name, kept.wanted.issuer, max(0, kept.ask_after_s - self._clock()))

    @staticmethod
    def _told(holding: Holding, accepted: AcceptedOffer) -> Holding:
        """After it is kept: an issuer that wants to know hears of it."""
        if accepted.notice is not None:
            accepted.notice.send("credential_accepted")
        return holding
