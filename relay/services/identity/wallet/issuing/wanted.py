"""What was asked of an issuer, with the keys that only this wallet has; and what may be kept of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.openid4vp.answer import AUTHORITY_KEY
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust
from hutong.relay.services.identity.rules.seals.seal_file import seal_json
from hutong.relay.services.identity.rules.wallet.issuer_answers import ReceivedCredential
from hutong.relay.services.identity.rules.wallet.received import (
    AskedFor,
    JudgedCredential,
    batch_is_of_one_kind,
    judge_received,
)
from hutong.relay.services.identity.rules.wallet.seals import SEAL, seal_is_the_wallets
from hutong.relay.services.identity.wallet.holder_keys import HolderKey, SealKey
from hutong.relay.services.identity.wallet.holdings import Holding, Instance


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Of one credential and of the seal beside it."""

    holder: HolderKey
    seal: SealKey


@dataclass(frozen=True, slots=True)
class WantedCredentials:
    """One request's. `is_one_time`: the issuer gives batches, so that each is shown once."""

    issuer: str
    configuration: str
    vct: str
    display_name: str | None
    is_one_time: bool
    is_sealed: bool
    keys: tuple[KeyPair, ...]

    def judged(
        self, received: tuple[ReceivedCredential, ...], trust: IssuerTrust, now_s: int
    ) -> tuple[Holding, tuple[Instance, ...]]:
        """What may be kept. A batch of one, of an issuer that gives batches, is for one time as a larger one is.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
        """
        keys = {pair.holder.public.thumbprint(): pair for pair in self.keys}
        asked = AskedFor(self.vct, trust, Clock(now_s))
        judged = [judge_received(VERIFY, each.text, asked, keys) for each in received]
        VERIFY(batch_is_of_one_kind, judged)
        instances = tuple(self._instance(each, one, keys) for each, one in zip(received, judged, strict=True))
        first = judged[0]
        holding = Holding(
            "",
            self.issuer,
            self.configuration,
            self.vct,
            self.display_name,
            first.verified.unpacked.claims,
            tuple(sorted(first.authorities.get(AUTHORITY_KEY, ()))),
            self.is_one_time,
            now_s,
            len(instances),
        )
        return holding, instances

    def _instance(
        self, received: ReceivedCredential, judged: JudgedCredential, keys: Mapping[bytes, KeyPair]
    ) -> Instance:
        pair = keys[judged.thumbprint]
        if not self.is_sealed:
            return Instance(received.text, pair.holder.secret, None, None)
        sealed = VERIFY(seal_is_the_wallets, received.beside.get(SEAL), pair.seal.address)
        return Instance(received.text, pair.holder.secret, pair.seal.secret, seal_json(sealed))
