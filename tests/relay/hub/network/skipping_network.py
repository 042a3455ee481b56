"""Validators in one process, some of whose limits are too low for one block: they halt, sign, start again."""

from random import Random

import trio

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, SkipSignature, SkipStatement, combined
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.chain.execution_guard import DEFAULT_LIMITS, ExecutionGuard, ExecutionLimits
from hutong.relay.hub.engine.driver import DrivenValidator
from hutong.relay.hub.engine.following import begin_log_anew, executed_certified, follow
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.home.process import halt_reason
from hutong.relay.hub.network.switchboard import NetworkedHome
from hutong.relay.hub.process.validator_among_peers import NodeNetwork
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.skipping.files import SkipFiles
from tests.relay.hub.network.simulated_network import SimulatedNetwork, SimulatedValidator, in_line
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, GENESIS_TIME_S

TOO_LOW = ExecutionLimits(time_s=0.05)
RECIPIENT = "0x" + "77" * 20
PAYMENTS = 40


def payments(count: int = PAYMENTS, first_nonce: int = 0) -> list:
    fields = {"chainId": EVM_CHAIN_ID, "gas": 21_000, "gasPrice": 0, "value": 1, "to": RECIPIENT, "data": b""}
    signed = [DAPP.sign_transaction({**fields, "nonce": nonce}) for nonce in range(first_nonce, first_nonce + count)]
    return [decode_transaction(bytes(one.raw_transaction), EVM_CHAIN_ID) for one in signed]


class SlowExecution(ExecutionGuard):
    """A block of payments takes here whatever time it is given, on a quick machine as on a slow one."""

    def run(self, height, block_hash, prior_app_hash, execute):
        def slowly():
            response = execute()
            while len(response.tx_results) >= PAYMENTS:
                pass
            return response

        return super().run(height, block_hash, prior_app_hash, slowly)


def guard_of(home, limits: ExecutionLimits) -> ExecutionGuard:
    return (SlowExecution if limits is TOO_LOW else ExecutionGuard)(home, limits)


class SkippingValidator(SimulatedValidator):
    """As `open_node` and `run_node` put a node together."""

    limits = DEFAULT_LIMITS
    halted: str | None = None

    def boot(self, seed: int) -> None:
        signer = self.signer = FileSigner(self.home, self.key, self.ledger.genesis.chain_id)
        certificate = SkipFiles(self.home).load(self.ledger.tip.height)
        if certificate is not None and executed_certified(self.ledger, certificate):
            begin_log_anew(self.home, self.ledger, certificate, signer.record, self.now_ns())
            self.ledger = follow(self.ledger.store, self.ledger.genesis, self.ledger, certificate)
        self.ledger.guard = guard_of(self.home, self.limits)
        self.mempool, self.halted = Mempool(), None

        async def on_block(height):
            self.blocks.append((trio.current_time(), height))

        driven = DrivenValidator(
            self.ledger,
            signer,
            signer.public_key.address,
            self.mempool,
            WriteAheadLog(self.home),
            on_block,
            Timeouts.among_peers(self.ledger.genesis.params),
            now_ns=self.now_ns,
            run_blocking=in_line,
            skips=SkipDesk(self.home, self.ledger, lambda: signer.record),
        )
        own = NetworkedHome(self.home, self.network, self.node_key)
        self.node = NodeNetwork(own, driven, Random(seed), self._caught)

    def now_ns(self) -> int:
        return GENESIS_TIME_S * NANOSECONDS_PER_SECOND + int(trio.current_time() * 10**9) + self.skew_ns

    def balance_wei(self) -> int:
        application = self.ledger.application
        return application.state_after(application.blocks.head()).balance_wei(b"\x77" * 20)

    def sign_skip(self) -> SkipCertificate:
        """What `hutong hub skip sign` does with the marker and the record of a stopped node."""
        marker = ExecutionGuard(self.home).marker
        assert marker.height == self.height + 1 and marker.why_failed() is not None
        statement = SkipStatement(self.ledger.genesis.chain_id, marker.height, marker.block_hash, marker.prior_app_hash)
        return SkipCertificate(statement, (self.sign_skip_of(statement),))

    def sign_skip_of(self, statement: SkipStatement) -> SkipSignature:
        return FileSigner(self.home, self.key, self.ledger.genesis.chain_id).sign_skip(statement)


class SkippingNetwork(SimulatedNetwork):
    """`low` are those whose limits are too low for the block of payments."""

    def __init__(self, tmp_path, count: int = 4, low=(), **options) -> None:
        super().__init__(tmp_path, count, **options)
        for index, validator in enumerate(self.validators):
            validator.__class__ = SkippingValidator
            validator.limits = TOO_LOW if index in low else DEFAULT_LIMITS

    async def _run(self, validator) -> None:
        scope = validator.scope
        try:
            await super()._run(validator)
        except ExceptionGroup as group:
            validator.halted = halt_reason(group)
            if validator.scope is scope:
                validator.scope = None

    def fill_pools(self) -> None:
        transactions = payments()
        for validator in self.validators:
            if validator.scope is not None:
                for transaction in transactions:
                    validator.mempool.add(transaction, 0, 10**24)

    async def all_halt(self, *indexes: int) -> None:
        await self.until(lambda: all(self.validators[index].halted for index in indexes))

    def signed_by(self, *indexes: int) -> SkipCertificate:
        """They are given more afterwards, as the drill says."""
        for index in indexes:
            self.validators[index].limits = DEFAULT_LIMITS
        return combined([self.validators[index].sign_skip() for index in indexes])
