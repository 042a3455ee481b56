"""A hub of one validator: it alone signs that a block counts as empty, and goes on."""

import pytest
import trio

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, SkipStatement, decode_certificate
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.chain.execution_guard import DEFAULT_LIMITS, ExecutionFailed, ExecutionGuard
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.engine.alone import Alone
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.skipping.files import SkipFiles
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.network.skipping_network import TOO_LOW, guard_of, payments
from tests.relay.hub.simulated_hub import VALIDATOR, hub_genesis

# The stop of an execution may land in a destructor, is swallowed there and sent again: nothing of it is a defect.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def drive(home, store, limits, seconds, transactions=()):
    """The ledger and what the node said that it waits for."""
    ledger, log, mempool, waits = HubLedger(store, hub_genesis()), WriteAheadLog(home), Mempool(), []
    ledger.guard = guard_of(home, limits)
    signer = FileSigner(home, VALIDATOR, ledger.genesis.chain_id)
    for transaction in transactions:
        mempool.add(transaction, 0, 10**24)

    async def on_block(_height: int) -> None:
        """Nobody listens."""

    async def in_line(function):
        return function()

    start_ns = ledger.tip.time_ns + 10**9
    validator = DrivenValidator(
        ledger,
        signer,
        VALIDATOR.public_key.address,
        mempool,
        log,
        on_block,
        Timeouts.without_peers(),
        now_ns=lambda: start_ns + int(trio.current_time() * 10**9),
        run_blocking=in_line,
        skips=SkipDesk(home, ledger, lambda: signer.record),
    )
    driver = ConsensusDriver(validator, Alone(waits.append))
    try:
        with trio.move_on_after(seconds):
            await driver.run()
    finally:
        log.close()
    return ledger, waits


async def test_one_validator_halts_signs_waits_and_goes_on_over_its_own_skip(tmp_path, autojump_clock):
    home, store = new_home(tmp_path / "hub"), MemoryStore()
    with pytest.raises(ExecutionFailed, match="hutong hub skip status"):
        await drive(home, store, TOO_LOW, 5, payments())
    marker = ExecutionGuard(home).marker
    height = HubLedger(store, hub_genesis()).tip.height
    assert marker.height == height + 1 and marker.why_failed() is not None
    statement = SkipStatement(hub_genesis().chain_id, marker.height, marker.block_hash, marker.prior_app_hash)
    signature = FileSigner(home, VALIDATOR, statement.chain_id).sign_skip(statement)
    ledger, waits = await drive(home, store, DEFAULT_LIMITS, 5)
    assert ledger.tip.height == height, "it promised not to execute the block"
    assert len(waits) == 1 and f"block {height + 1} counts as empty" in waits[0]
    certificate = SkipCertificate(statement, (signature,))
    SkipFiles(home).keep(certificate)
    ledger, waits = await drive(home, store, DEFAULT_LIMITS, 10)
    assert ledger.tip.height > height + 2 and not waits
    assert decode_certificate(ledger.records.block(height + 2).block.transactions[0]) == certificate
