"""A hub of four validators of equal power whose blocks can be skipped, and what its validators sign for that."""

from dataclasses import replace

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, SkipSignature, SkipStatement, skip_digest
from hutong.relay.hub.application.genesis import GenesisValidator
from tests.relay.hub.application.governance.validator_run import POOL
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, hub_genesis

KEYS = POOL[:4]
RECIPIENT = b"\x77" * 20


def skipping_genesis(**options):
    return replace(hub_genesis(**options), validators=tuple(GenesisValidator(key.public_key, 1) for key in KEYS))


class SkippingHub(SimulatedHub):
    """At block 3."""

    def __init__(self, store=None, **options) -> None:
        super().__init__(store, genesis=skipping_genesis(**options), validator_keys=KEYS)
        while self.height < 3:
            self.advance()

    def payment(self, wei: int = 5, **options) -> bytes:
        return self.raw(RECIPIENT, b"", DAPP, gas=21_000, value=wei, **options)

    def statement(self, block_id) -> SkipStatement:
        """Of the block that follows."""
        return SkipStatement(self.genesis.chain_id, self.height + 1, block_id.hash, self.app_hash)

    def skip(self, *raw: bytes, by=KEYS[:3], **options) -> SkipCertificate:
        """Decide a block with these transactions and apply it as empty. The senders' nonces are as before."""
        block, block_id, commit = self.decide(*raw, **options)
        certificate = certified(self.statement(block_id), by)
        self.ledger.apply(block, block_id, commit, certificate)
        self.nonces.clear()
        return certificate


def certified(statement: SkipStatement, keys=KEYS[:3]) -> SkipCertificate:
    entries = [SkipSignature(key.public_key.data, key.sign(skip_digest(statement))) for key in keys]
    return SkipCertificate(statement, tuple(sorted(entries, key=lambda one: one.public_key)))


def balance_wei(hub: SimulatedHub, account: bytes) -> int:
    application = hub.application
    return application.state_after(application.blocks.head()).balance_wei(account)
