"""What the pages in docs/spec state about the hub is what the code makes."""

import json
import re
from pathlib import Path

import pytest

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.governance_abi import possession_digest
from hutong.light_clients.ibc.packet import decode_packet
from hutong.light_clients.interface import Height
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.hub.application import abi, admin, gas
from hutong.relay.hub.application.directory import interface as directory
from hutong.relay.hub.application.governance import interface as governance
from hutong.relay.hub.application.governance.schedule import BOUNDS
from hutong.relay.hub.application.identity import interface as identity
from hutong.relay.hub.application.observations import interface as observations
from hutong.relay.hub.application.packets import pending
from hutong.relay.hub.application.packets.quotas import Load
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.self_test import corpus_hash
from hutong.relay.hub.application.storage import interface as storage
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.state import RESERVED_PREFIXES, keys
from tests.relay.hub.state.test_hub_state import Versions

DENOM_HASH = Denom.parse("transfer/bft-evm-0/uatom").digest
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
SPEC = Path(__file__).resolve().parents[4] / "docs" / "spec"


def page(name: str) -> str:
    return (SPEC / f"{name}.md").read_text()


def vectors(name: str):
    return json.loads(re.search(r"```json\n(.*?)```", page(name), re.DOTALL)[1])


def test_keys_roots_proofs_and_records_of_the_state_page():
    stated = vectors("hub-state")
    height = Height(0, 7)
    assert stated["keys"] == {
        "client_state bft-evm-0": keys.client_state_key("bft-evm-0").hex(),
        "consensus bft-evm-0 0-7": keys.consensus_key("bft-evm-0", height).hex(),
        "processed bft-evm-0 0-7": keys.consensus_metadata_key("bft-evm-0", height).hex(),
        "counterparty bft-evm-0": keys.counterparty_key("bft-evm-0").hex(),
        "forward bft-evm-1 1": keys.forward_key("bft-evm-1", 1).hex(),
        "reason bft-evm-0 1": keys.forward_reason_key("bft-evm-0", 1).hex(),
        "next sequence bft-evm-1": keys.next_sequence_key("bft-evm-1").hex(),
        "quota limit bft-evm-1": keys.quota_limit_key("bft-evm-1").hex(),
        "quota in flight bft-evm-1": keys.quota_in_flight_key("bft-evm-1").hex(),
        "transfer denom transfer/bft-evm-0/uatom": keys.transfer_denom_key(DENOM_HASH).hex(),
        "transfer supply transfer/bft-evm-0/uatom": keys.transfer_supply_key(DENOM_HASH).hex(),
        "transfer balance transfer/bft-evm-0/uatom 11…11": keys.transfer_balance_key(DENOM_HASH, b"\x11" * 20).hex(),
        "transfer escrow bft-evm-1 transfer/bft-evm-0/uatom": keys.transfer_escrow_key("bft-evm-1", DENOM_HASH).hex(),
        "validator power 0279be66…": keys.validator_power_key(GENERATOR).hex(),
        "transfer homeward transfer/bft-evm-0/uatom": keys.transfer_homeward_key(DENOM_HASH).hex(),
    }
    versions = Versions()
    first, second = stated["versions"]
    assert versions.roots[0].hex() == first["root"]
    versions.apply({bytes.fromhex(key): bytes.fromhex(value) for key, value in second["changes"].items()})
    assert versions.roots[1].hex() == second["root"]
    present = bytes.fromhex(stated["proof of evm/stateRoot at version 1"])
    verify_chained((SMT_SPEC,), present, versions.roots[1], (b"evm/stateRoot",), b"\x02" * 32)
    absent = bytes.fromhex(stated["absence of client-0 receipt 1 at version 1"])
    key = b"client-0\x02" + bytes(7) + b"\x01"
    verify_chained((SMT_SPEC,), absent, versions.roots[1], (key,), None)
    assert versions.state.get_with_proof(1, key)[1] == absent
    record = stated["pending_forward"]
    waiting = pending.PendingForward(decode_packet(bytes.fromhex(record["packet"])), record["accepted_at_s"])
    assert pending.encode_pending_forward(waiting).hex() == record["record"]
    assert pending.decode_pending_forward(bytes.fromhex(record["record"])) == waiting
    for prefix in RESERVED_PREFIXES:
        assert prefix.decode() in page("hub-state")


@pytest.mark.parametrize("kind", [abi.Function, abi.Event, abi.Error])
@pytest.mark.parametrize(
    ("names", "module"),
    [
        (("hub-modules",), abi),
        (("hub-transfer",), interface),
        (("records",), observations),
        (("identity-records", "identity-persons"), identity),
        (("storage-calls",), storage),
        (("directory-calls",), directory),
    ],
)
def test_every_signature_of_the_modules_pages(kind, names, module):
    text = "".join(map(page, names))
    for value in vars(module).values():
        if isinstance(value, kind):
            identifier = value.topic if isinstance(value, abi.Event) else value.selector
            assert f"| `{value.signature}` | `{identifier.hex()}` |" in text


def test_gas_and_actions_of_the_modules_page():
    text = page("hub-modules")
    for name, value in vars(gas).items():
        if name.isupper():
            assert f"| `{name}` | {value} |" in text
    actions = [
        admin.create_client_action(1, "bft-evm", b"\x01", b"\x02"),
        admin.register_counterparty_action(2, "bft-evm-0", "client-0", [b""]),
        admin.recover_client_action(3, "bft-evm-0", "bft-evm-1"),
        admin.set_paused_action(4, True),
        admin.set_quota_action(5, "bft-evm-0", Load(10, 1000)),
        admin.set_validator_action(6, GENERATOR, 4),
    ]
    for action, stated in zip(actions, vectors("hub-modules")["actions"].values(), strict=True):
        assert action.hex() == stated["action"]
        assert admin.action_hash("hutong-1", action).hex() == stated["hash on hutong-1"]


def test_corpus_hash_of_the_genesis_page():
    for version in rules_versions.ALL:
        assert corpus_hash(version).hex() in page("hub-genesis")


@pytest.mark.parametrize("kind", [abi.Function, abi.Event, abi.Error])
def test_every_signature_of_the_governance_page(kind):
    text = page("hub-governance")
    found = [value for value in vars(governance).values() if isinstance(value, kind)]
    assert found
    for value in found:
        identifier = value.topic if isinstance(value, abi.Event) else value.selector
        assert f"| `{value.signature}` | `{identifier.hex()}` |" in text


def test_vectors_of_the_governance_page():
    stated = vectors("hub-governance")
    actions = [
        admin.admit_validator_action(1, GENERATOR, 4, b"\x11" * 20, b"\x03" * 64),
        admin.set_parameter_action(2, "voting_period_s", 86_400),
        admin.schedule_rules_action(3, 2, 1_000),
        admin.end_revision_action(4, 2_000),
    ]
    assert [action.hex() for action in actions] == list(stated["actions"].values())
    digest = possession_digest("hutong-1", b"\x11" * 20, GENERATOR)
    assert digest.hex() == stated["possession hutong-1 0x11…11 0279be66…"]
    made = [
        keys.operator_key(GENERATOR),
        keys.operator_account_key(b"\x11" * 20),
        keys.used_key_key(GENERATOR),
        keys.proposal_key(1),
        keys.proposal_result_key(1),
        keys.vote_key(1, GENERATOR),
        keys.parameter_key("voting_period_s"),
        keys.rules_key(1_000),
        keys.upgraded_key(2_000, "upgradedClient"),
    ]
    assert [key.hex() for key in made] == list(stated["keys"].values())
    for name, (low, high) in BOUNDS.items():
        assert f"`{name}`" in page("hub-rules") and f"{high:,}".replace(",", " ") in page("hub-rules"), low


def test_vectors_of_the_code_page():
    stated = vectors("hub-code")
    actions = [
        admin.set_code_open_action(1, True),
        admin.name_deployer_action(2, b"\x11" * 20, True),
        admin.name_contract_action(3, b"\x22" * 20, False),
    ]
    assert [action.hex() for action in actions] == list(stated["actions"].values())
    made = [keys.CODE_OPEN_KEY, keys.deployer_key(b"\x11" * 20), keys.named_contract_key(b"\x22" * 20)]
    assert [key.hex() for key in made] == list(stated["keys"].values())


def test_vectors_of_actions_on_the_records_page():
    actions = [
        admin.name_writer_action(1, b"\x11" * 20, 10),
        admin.set_observations_open_action(2, True),
    ]
    assert [action.hex() for action in actions] == list(vectors("records")["actions"].values())


def test_the_page_of_rules_has_every_kind_of_action_and_every_version():
    text = page("hub-rules")
    assert all(f"\n| {kind.value} | " in text for kind in admin.ActionKind)
    assert f"| {' | '.join(map(str, rules_versions.ALL))} |" in text
