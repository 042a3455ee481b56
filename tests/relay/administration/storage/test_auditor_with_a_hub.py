"""The auditor's process beside a hub's process: it commits, reveals, and keeps an epoch that `hutong audit storage` judges."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest
import trio
from eth_abi.abi import encode
from typer.testing import CliRunner

from hutong.adapters.hub import HubSettings, open_hub_chain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import BatchLimits
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from hutong.relay.config import HUB_ROUTER
from hutong.relay.hub.application.admin import (
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_operator_state_action,
)
from hutong.relay.hub.home.initialise import NewHub, initialise_home
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.calls import STORAGE_ADDRESS, STORE_BATCH, SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.commitments.entries import encode_log_entry, next_log_entry
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import PartyRole
from hutong.relay.services.storage.rules.records.rounds import SecretState, decode_secret_record
from hutong.relay.services.storage.rules.records.values import decode_seed_record, decode_set_record
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub
from tests.relay.hub.application.identity.organisations import signature_of
from tests.relay.hub.application.storage.storage_hub import (
    HUB,
    TABLE,
    WRITER,
    Batch,
    HubOperator,
    account_of,
    genesis_with,
)
from tests.relay.hub.hub_process import HubProcess
from tests.relay.hub.simulated_hub import VALIDATOR, address_of
from tests.relay.services.storage.operator.test_operator_with_a_hub import Sending, until
from tests.relay.services.storage.rules.held import HeldShard, named, octets

pytestmark = pytest.mark.long
PROBES = 8
FORWARDER = bytes.fromhex("60228060093d393df36024358060446000376000600082600060006110075af115601c57005b60006000fd")
"""Creates a contract that calls the module with the bytes that it is given, and reverts where that does."""


class AuditorProcess:
    """One run of `hutong storage auditor run`."""

    def __init__(self, config, log) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hutong.relay.cli", "storage", "auditor", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        line = self.process.stdout.readline()
        assert "ready" in line, line

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=120)
        return self.process.returncode


def invoked(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def started_hub(home) -> HubProcess:
    table = TABLE | {"data": 1, "parity": 1, "reveal_s": 600, "deadline_s": 600, "epoch_s": 3_600}
    genesis = genesis_with(table, block_interval_ms=200, proof_block_delay_ms=50)
    hub = NewHub(
        genesis.chain_id,
        genesis.evm_chain_id,
        genesis.genesis_time_ns,
        genesis.admins,
        genesis.params,
        genesis.allocations,
        genesis.rules_version,
        fees=genesis.fees,
        code=genesis.code,
        tables=genesis.tables,
    )
    initialise_home(home, hub, VALIDATOR.private_key)
    return HubProcess(home).start()


async def checkpoint_of(hub: HubProcess):
    router = RouterSettings(
        name="hub", router=HUB_ROUTER, start_height=1, poll_interval_s=1.0, limits=BatchLimits(1, 1 << 20, 1 << 24)
    )
    settings = HubSettings(chain_id="hutong-1", rpc=(hub.eth_url,), consensus_rpc=(hub.cometbft_url,), router=router)
    async with open_hub_chain(settings, Random(1)) as chain:
        return await checkpoint_of_hub(chain)


class Members:
    """Two operators whose batch is stored, a writer, and an auditor by its id and account."""

    def __init__(self, sending: Sending, auditor: bytes, account: bytes) -> None:
        self.sending = sending
        self.operators = {one.id: one for one in map(HubOperator, range(2))}
        for one in self.operators.values():
            at = address_of(one.account)
            sending.decide(lambda salt: name_storage_operator_action(salt, one.id, at, one.labels, 10))  # noqa: B023
            sending.decide(lambda salt: set_storage_operator_state_action(salt, one.id, 2))  # noqa: B023
        sending.decide(lambda salt: name_storage_party_action(salt, PartyRole.AUDITOR, auditor, account))

    def store(self) -> None:
        shards = {
            operator: [HeldShard(named("audited pack"), number, octets(f"audited {number}", 1_024 << 4))]
            for number, operator in enumerate(sorted(self.operators))
        }
        batch = Batch(WRITER, 0, shards)
        call = STORE_BATCH.encode(WRITER, 0, self.sending.newest_map, batch.given(), batch.signature())
        self.sending.send(STORAGE_ADDRESS, call, account_of(WRITER))
        for part in batch.parts:
            entry = encode_log_entry(next_log_entry(None, part.part, 0))
            self.operators[part.operator].take(shards[part.operator], entry)

    def answer(self, operator: bytes, *, is_honest: bool) -> None:
        seed = decode_seed_record(self.sending.record(keys.seed_key(1)))
        one, record = self.operators[operator], decode_set_record(self.sending.record(keys.set_key(operator, 1)))
        challenge = Challenge(seed.seed, operator, record.operator_set, seed.probes)
        answers = [one.answer(challenge, number) for number in range(seed.probes)]
        if not is_honest:
            answers[3] = replace(answers[3], leaf=bytes(1_024))
        for first in range(0, len(answers), 5):
            octets_ = encode_answers(answers[first : first + 5])
            count = len(answers[first : first + 5])
            struct = ProbeAnswers(HUB, operator, 1, first, count, sha256(octets_).digest())
            signature = signature_of(one.account, signing_digest(struct))
            call = SUBMIT_ANSWERS.encode(operator, 1, first, count, octets_, signature)
            if first and is_honest:
                self.answer_by_contract(call, one.account)
            else:
                self.sending.send(STORAGE_ADDRESS, call, one.account)
            if not is_honest:
                return

    def answer_by_contract(self, call: bytes, account) -> None:
        """As a multisig or a batch sends it."""
        receipt = self.sending.send(None, FORWARDER, account)
        contract = bytes.fromhex(receipt["contractAddress"][2:])
        self.sending.send(contract, bytes(4) + encode(["bytes"], [call]), account)


def test_an_auditor_commits_reveals_and_keeps_what_operators_answered(tmp_path):
    hub = started_hub(tmp_path / "hub")
    try:
        sending = Sending(hub)
        writer = address_of(account_of(WRITER))
        # the genesis is years old: a block of now is what a checkpoint can be of
        sending.decide(lambda salt: name_storage_party_action(salt, PartyRole.WRITER, WRITER, writer))
        checkpoint = tmp_path / "hub.checkpoint.json"
        checkpoint.write_bytes(encode_checkpoint(trio.run(checkpoint_of, hub)))
        given = ("--chain-id", "hutong-1", "--checkpoint", checkpoint, "--rpc", hub.eth_url)
        begun = invoked(
            "storage", "auditor", "init", "--home", tmp_path / "auditor", *given,
            "--consensus-rpc", hub.cometbft_url, "--json",
        )  # fmt: skip
        assert begun.exit_code == 0, begun.output
        said = json.loads(begun.stdout)
        auditor, account = bytes.fromhex(said["auditor"]), bytes.fromhex(said["account"][2:])
        members = Members(sending, auditor, account)
        with (tmp_path / "log").open("w") as log:
            run(sending, members, said, log, tmp_path)
        audits = tmp_path / "auditor" / "audits"
        judged(audits, checkpoint, sorted(members.operators))
        before = {path.name: path.read_bytes() for path in audits.iterdir()}
        with (tmp_path / "log").open("w") as log:
            assert AuditorProcess(said["config"], log).stop() == 0
        assert {path.name: path.read_bytes() for path in audits.iterdir()} == before
    finally:
        hub.stop()


def run(sending, members, said, log, folder) -> None:
    """The first epoch, from before it begins until it is kept."""
    process = AuditorProcess(said["config"], log)
    try:
        audited(sending, members, bytes.fromhex(said["auditor"]))
        outcome = folder / "auditor" / "audits" / f"{1:012}.record.json"
        until(lambda: outcome.exists() or None)
    finally:
        assert process.stop() == 0


def audited(sending: Sending, members: Members, auditor: bytes) -> None:
    """The auditor commits for the first epoch before there is one, and its secret is in the seed."""
    until(lambda: sending.record(keys.secret_key(1, auditor)))
    members.store()
    seed = decode_seed_record(until(lambda: sending.record(keys.seed_key(1))))
    assert (seed.reveals, seed.auditors) == (1, 1)
    secret = decode_secret_record(sending.record(keys.secret_key(1, auditor)))
    assert secret.state is SecretState.REVEALED and not secret.faults
    honest, liar = sorted(members.operators)
    members.answer(honest, is_honest=True)
    members.answer(liar, is_honest=False)


def judged(audits, checkpoint, operators: list[bytes]) -> None:
    honest, liar = operators
    names = {path.name for path in audits.iterdir()}
    assert names == {
        *(f"{1:012}-{honest.hex()}-{first:04}.audit" for first in (0, 5)),
        f"{1:012}-{liar.hex()}-0000.audit.refused",
        f"{1:012}.record.json",
    }
    command = ("audit", "storage", audits, "--checkpoint", checkpoint, "--from", 1, "--to", 1, "--json")
    alone = invoked(*command, "--operator", honest.hex())
    assert alone.exit_code == 0, alone.output
    assert json.loads(alone.stdout)["operators"][0]["held"] == PROBES
    both = invoked(*command)
    assert both.exit_code == 1
    assert [(one["kind"], one["operator"]) for one in json.loads(both.stdout)["findings"]] == [("failed", liar.hex())]
