"""The operator's process beside a hub's process: registered, stored with, audited, drained, and gone, over RPC alone."""

import json
import time

import httpx
import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    action_hash,
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_operator_state_action,
)
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from hutong.relay.hub.home.initialise import NewHub, initialise_home
from hutong.relay.services.storage.rules.calls import GET_RECORD, GROUP_OF, PLACEMENT, STORAGE_ADDRESS, STORE_BATCH
from hutong.relay.services.storage.rules.lifecycle.signed import struct_is_signed_by
from hutong.relay.services.storage.rules.operator_api.documents import decode_deletion, decode_part, encode_part_asked
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import PartyRole, decode_operator_record, encode_label
from hutong.relay.services.storage.rules.records.values import Outcome, decode_verdict_record
from tests.relay.hub.application.storage.storage_hub import TABLE, Batch, account_of, genesis_with
from tests.relay.hub.hub_process import HubProcess
from tests.relay.hub.simulated_hub import ADMINS, VALIDATOR, address_of
from tests.relay.services.storage.operator.operator_process import OperatorProcess, write_home
from tests.relay.services.storage.operator.running import (
    IDENTITY,
    OPERATOR_KEY,
    WRITER,
    path_of,
    token,
)
from tests.relay.services.storage.operator.running import (
    account_of as account_of_key,
)
from tests.relay.services.storage.rules.held import HeldShard, entries_of, named, octets

pytestmark = pytest.mark.long
OTHER = named("another operator")
WAIT_S = 300


class Sending:
    """Transactions to a hub's process, each mined before the next."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub = hub
        self.chain_id = int(hub.rpc("eth_chainId"), 16)
        self.salt = 0

    def send(self, to: bytes | None, data: bytes, account) -> dict:
        nonce = int(self.hub.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        fields = {"chainId": self.chain_id, "nonce": nonce, "gas": 8_000_000, "gasPrice": 0, "value": 0, "data": data}
        signed = account.sign_transaction({**fields, "to": to or b""})
        sent = self.hub.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        receipt = until(lambda: self.hub.rpc("eth_getTransactionReceipt", sent))
        assert receipt["status"] == "0x1", receipt
        return receipt

    def decide(self, make) -> None:
        self.salt += 1
        action = make(self.salt)
        for admin in ADMINS[:2]:
            self.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(action_hash("hutong-1", action)), admin)
        self.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0])

    def asked(self, call, *values):
        data = "0x" + call.encode(*values).hex()
        answer = self.hub.rpc("eth_call", {"to": f"0x{STORAGE_ADDRESS.hex()}", "data": data}, "latest")
        (value,) = call.read(bytes.fromhex(answer[2:]))
        return value

    @property
    def newest_map(self) -> int:
        return int.from_bytes(self.record(keys.MAPS_KEY), "big")

    def record(self, key: bytes) -> bytes | None:
        return self.asked(GET_RECORD, key) or None


def until(ask):
    deadline = time.monotonic() + WAIT_S
    while (found := ask()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def started_hub(home) -> HubProcess:
    """Code 1 + 1, so that two operators are a group; no auditor, so that the epoch's seed is drawn at once."""
    table = TABLE | {"data": 1, "parity": 1, "deadline_s": 600, "probes": 40, "full_probes": 40}
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


def name_everybody(sending: Sending) -> None:
    accounts = {IDENTITY.operator: account_of_key(OPERATOR_KEY), OTHER: address_of(account_of(OTHER))}
    for number, (operator, account) in enumerate(accounts.items()):
        labels = tuple(map(encode_label, (f"o{number}", f"s{number}", "region", "engine")))
        sending.decide(lambda salt: name_storage_operator_action(salt, operator, account, labels, 10))  # noqa: B023
        sending.decide(lambda salt: set_storage_operator_state_action(salt, operator, 2))  # noqa: B023
    writer = address_of(account_of(WRITER))
    sending.decide(lambda salt: name_storage_party_action(salt, PartyRole.WRITER, WRITER, writer))


def drawn_batch(sending: Sending) -> Batch:
    group = sending.asked(GROUP_OF, WRITER, 0)
    shards = {}
    for number, operator in enumerate(sending.asked(PLACEMENT, sending.newest_map, group)):
        octets_of = octets(f"shard {number}", 1_024 << 7)
        shards[operator] = [
            HeldShard(named("a pack"), number, octets_of),
            HeldShard(named("another"), number, octets_of[:1_024]),
        ]
    return Batch(WRITER, 0, shards)


def store(sending: Sending, batch: Batch, client: httpx.Client) -> None:
    ours = batch.shards[IDENTITY.operator]
    for shard in ours:
        entry = shard.entry_at(0)
        asked = f"{path_of(shard)}?height={entry.height}&root={entry.root.hex()}&retain_until=0"
        answer = client.put(asked, content=shard.octets, headers={"content-type": "application/octet-stream"})
        assert answer.status_code == 201, answer.text
    body = encode_part_asked(0, entries_of(ours))
    signed = decode_part(client.post("/v1/parts", content=body, headers={"content-type": "application/json"}).content)
    given = [(*row[:4], signed.signature if row[0] == IDENTITY.operator else row[4]) for row in batch.given()]
    call = STORE_BATCH.encode(WRITER, 0, sending.newest_map, given, batch.signature())
    sending.send(STORAGE_ADDRESS, call, account_of(WRITER))


def invoked(*arguments: object):
    return CliRunner().invoke(app, ["storage", "operator", *map(str, arguments)])


def test_an_operators_process_is_audited_by_a_hubs_process(tmp_path):
    hub = started_hub(tmp_path / "hub")
    try:
        sending = Sending(hub)
        table = f'[hub]\nrpc = ["{hub.eth_url}"]\nconsensus_rpc = ["{hub.cometbft_url}"]\ninterval_s = 1\n'
        config = write_home(tmp_path / "op", engine=f'folder = "shards"\n{table}', with_accounts=False)
        operator = OperatorProcess(config)
        try:
            audited(sending, operator, config)
        finally:
            operator.stop()
        left = invoked("leave", "--config", config, "--yes", "--json")
        assert left.exit_code == 1 and "draining" in left.stderr
        sending.decide(lambda salt: set_storage_operator_state_action(salt, IDENTITY.operator, 4))
        left = invoked("leave", "--config", config, "--yes", "--json")
        said = json.loads(left.stdout)
        assert (left.exit_code, said["deleted"]) == (0, 2)
        check_gone(tmp_path / "op")
    finally:
        hub.stop()


def audited(sending: Sending, operator: OperatorProcess, config) -> None:
    identity, key = IDENTITY, bytes(account_of(WRITER).key)
    bearer = token(WRITER, not_after_s=int(time.time()) + 3_600, identity=identity, key=key)
    headers = {"authorization": f"Bearer {bearer}"}
    with httpx.Client(base_url=operator.url, headers=headers, timeout=120) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 503 and "governance registers it" in ready.json()["reason"]
        name_everybody(sending)
        until(lambda: client.get("/readyz").json()["ready"] or None)
        batch = drawn_batch(sending)
        store(sending, batch, client)
        verdict = decode_verdict_record(until(lambda: sending.record(keys.verdict_key(IDENTITY.operator, 1))))
        assert (verdict.outcome, verdict.held) == (Outcome.PASSED, 40)
        assert client.get(path_of(batch.shards[IDENTITY.operator][0])).json()["state"] == "placed"
        answers = client.get("/v1/answers/1?first=0&count=40")
        assert answers.status_code == 200 and len(answers.content) > 40 * 1_024
        drained = invoked("drain", "--config", config, "--json")
        assert (drained.exit_code, json.loads(drained.stdout)["state"]) == (0, "draining")
        assert decode_operator_record(sending.record(keys.operator_key(IDENTITY.operator))).state == 3
        until(lambda: client.get("/v1/operator").json()["state"] == "draining" or None)


def check_gone(home) -> None:
    assert [path for path in (home / "shards").rglob("*") if path.is_file()] == []
    lines = (home / "state" / "deletions.jsonl").read_bytes().splitlines()
    for line in lines:
        signed = decode_deletion(line)
        struct_is_signed_by(signed.deletion, signed.signature, account_of_key(OPERATOR_KEY))
    assert len(lines) == 2
