"""Who may run code on a hub of rules version 3: named deployers and contracts, in the pool, in blocks and in calls."""

import json

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.hub.code import _decode, named_code
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.error_string import ERROR_STRING_SELECTOR
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.abci import CODE_INVALID, CODE_OK, ProposalVerdict
from hutong.relay.hub.application.admin import (
    name_contract_action,
    name_deployer_action,
    schedule_rules_action,
    set_code_open_action,
)
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.machine.fees import FeeRules
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from hutong.relay.hub.state import keys
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.governance.test_hub_schedule import failure
from tests.relay.hub.simulated_hub import RELAYER, STRANGER, SimulatedHub, address_of, hub_genesis

DEPLOYER = Account.from_key(b"\x07" * 32)
IDENTITY = (4).to_bytes(20, "big")
RETURNS_ONE = bytes.fromhex("600160005260206000f3")
"""Runtime code: returns the word 1."""


def creating(runtime: bytes) -> bytes:
    """Init code that leaves `runtime`."""
    return bytes.fromhex(f"61{len(runtime):04x}80600a3d393df3") + runtime


def calling(opcode: str, target: bytes) -> bytes:
    """Runtime code: calls `target` in one of the four ways, returns success (one word) and what came back (four)."""
    value = "5f" if opcode in ("f1", "f2") else ""
    return bytes.fromhex(f"608060205f5f{value}73{target.hex()}5a{opcode}5f5260a05ff3")


def created(hub: SimulatedHub, outcome) -> bytes:
    assert outcome.ok, (outcome.code, outcome.log)
    (receipt,) = hub.application.blocks.receipts(hub.height)
    return receipt.contract_address


@pytest.fixture
def hub():
    """Closed, with one deployer."""
    return SimulatedHub(genesis=hub_genesis(code=CodeRules(False, (address_of(DEPLOYER),))))


def refused(hub: SimulatedHub, raw: bytes, sentence: str) -> None:
    """By the pool, and without any effect in a block of a proposer that has none."""
    verdict = hub.application.check_tx(raw)
    assert verdict.code == CODE_INVALID and sentence in verdict.log, verdict
    before = hub.app_hash
    assert hub.application.process_proposal([raw], rules_versions.NEWEST) is ProposalVerdict.ACCEPT
    (outcome,) = hub.advance(raw)
    assert (outcome.code, outcome.gas_used) == (CODE_INVALID, 0) and sentence in outcome.log
    assert hub.app_hash == before


def test_attack_H_a_stranger_runs_no_code_on_a_fee_free_hub():
    """The code of C1 and C2 has no way in: not as a creation, not by a call, not by a precompile, not as bytes on the disk."""
    hub = SimulatedHub(genesis=hub_genesis(code=None))
    refused(
        hub, hub.raw(None, creating(RETURNS_ONE), STRANGER), "only accounts that this hub names may create contracts"
    )
    hub.nonces[STRANGER.address] = 0
    refused(
        hub, hub.raw(IDENTITY, b"x", STRANGER), "only contracts that this hub names may be called: precompiles are for"
    )
    hub.nonces[STRANGER.address] = 0
    refused(hub, hub.raw(address_of(RELAYER), bytes(32), STRANGER), "an account without code takes value alone")
    hub.nonces[STRANGER.address] = 0
    assert hub.send(address_of(RELAYER), b"", STRANGER).ok
    assert hub.send(ROUTER_ADDRESS, abi.PAUSED.call(), STRANGER).ok


def test_a_deployers_creations_are_named_and_anybody_calls_them(hub):
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), DEPLOYER))
    assert hub.view().get(keys.named_contract_key(contract)) == address_of(DEPLOYER)
    assert hub.send(contract, b"anything", STRANGER).ok
    assert hub.call(contract, b"").return_data == (1).to_bytes(32, "big")


def test_a_creation_that_fails_names_nothing(hub):
    assert hub.send(None, bytes.fromhex("5f5ffd"), DEPLOYER).code == 1
    assert hub.send(None, b"", DEPLOYER).ok, "an empty creation leaves no code, so there is nothing to name"
    assert list(rows(hub)) == []


def test_a_contract_that_is_no_longer_named_is_not_called(hub):
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), DEPLOYER))
    outcome = hub.execute(name_contract_action(hub.next_salt(), contract, False))
    assert outcome.events(abi.CONTRACT_NAMED_EVENT) == [(False,)]
    refused(hub, hub.raw(contract, b"", STRANGER), "only contracts that this hub names may be called")
    hub.nonces[STRANGER.address] = 0
    assert hub.execute(name_contract_action(hub.next_salt(), contract, True)).ok
    assert hub.view().get(keys.named_contract_key(contract)) == bytes(20)
    assert hub.send(contract, b"", STRANGER).ok


@pytest.mark.parametrize("opcode", ["f1", "f2", "f4", "fa"])
def test_attack_H_no_inner_call_runs_code_that_is_not_named(hub, opcode):
    """CALL, CALLCODE, DELEGATECALL, STATICCALL: each reverts at once with a sentence, and the named caller goes on."""
    target = created(hub, hub.send(None, creating(RETURNS_ONE), DEPLOYER))
    contract = created(hub, hub.send(None, creating(calling(opcode, target)), DEPLOYER))
    answer = hub.call(contract, b"").return_data
    assert int.from_bytes(answer[:32], "big") == 1 and int.from_bytes(answer[32:64], "big") == 1
    assert hub.execute(name_contract_action(hub.next_salt(), target, False)).ok
    answer = hub.call(contract, b"").return_data
    assert int.from_bytes(answer[:32], "big") == 0
    assert answer[32:36] == ERROR_STRING_SELECTOR and target.hex().encode() in answer
    assert hub.send(contract, b"", STRANGER).ok


@pytest.mark.parametrize("opcode", ["f1", "f2", "f4", "fa"])
def test_named_contracts_use_precompiles_and_accounts_without_code(hub, opcode):
    for target in (IDENTITY, address_of(STRANGER)):
        contract = created(hub, hub.send(None, creating(calling(opcode, target)), DEPLOYER))
        assert int.from_bytes(hub.call(contract, b"").return_data[:32], "big") == 1


@pytest.mark.parametrize("opcode", ["f0", "f5"])
def test_attack_H_only_a_deployers_transaction_creates_from_within(hub, opcode):
    """CREATE and CREATE2 of a named contract: a factory is no way in for strangers."""
    init = creating(RETURNS_ONE)
    salt = "5f" if opcode == "f5" else ""
    store = "".join(f"60{byte:02x}60{place:02x}53" for place, byte in enumerate(init))
    factory = bytes.fromhex(f"{store}{salt}60{len(init):02x}5f5f{opcode}5f5260205ff3")
    contract = created(hub, hub.send(None, creating(factory), DEPLOYER))
    named = [key for key, _ in rows(hub)]
    assert hub.send(contract, b"", STRANGER).ok
    assert [key for key, _ in rows(hub)] == named, "a stranger's call creates nothing"
    assert hub.send(contract, b"", DEPLOYER).ok
    ((new, deployer),) = [row for row in rows(hub) if row[0] not in named]
    assert deployer == address_of(DEPLOYER)
    assert hub.call(new, b"").return_data == (1).to_bytes(32, "big")


def rows(hub: SimulatedHub):
    view, last = hub.view(), keys.NAMED_CONTRACT_PREFIX
    while (row := view.next(last)) is not None and row[0].startswith(keys.NAMED_CONTRACT_PREFIX):
        yield row[0][len(keys.NAMED_CONTRACT_PREFIX) :], row[1]
        last = row[0]


def test_calls_and_estimates_obey_the_same_rule(hub):
    state = hub.application.state_after(hub.application.blocks.head())
    for to, data in ((None, creating(RETURNS_ONE)), (IDENTITY, b"x"), (address_of(STRANGER), b"x")):
        message = CallMessage(sender=address_of(STRANGER), to=to, data=data, gas=0)
        for result in (state.call(message), state.estimate_gas(message)):
            assert not result.success and "hub names" in result.failure_detail
    assert state.call(CallMessage(sender=address_of(DEPLOYER), to=None, data=creating(RETURNS_ONE), gas=0)).success
    assert hub.view().get(keys.named_contract_key(bytes(20))) is None
    assert not list(rows(hub)), "a call leaves no name"


def test_admins_open_and_close_the_hub_from_the_next_block_on(hub):
    assert hub.execute(set_code_open_action(1, True)).events(abi.CODE_OPEN_SET_EVENT) == [(True,)]
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), STRANGER))
    assert hub.view().get(keys.named_contract_key(contract)) is None
    assert hub.send(contract, b"", RELAYER).ok
    assert hub.execute(set_code_open_action(2, False)).ok
    refused(hub, hub.raw(contract, b"", RELAYER), "only contracts that this hub names may be called")


def test_admins_name_deployers_and_take_the_right_back(hub):
    account = address_of(STRANGER)
    outcome = hub.execute(name_deployer_action(1, account, True))
    assert outcome.events(abi.DEPLOYER_NAMED_EVENT) == [(True,)]
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), STRANGER))
    assert hub.execute(name_deployer_action(2, account, False)).ok
    refused(hub, hub.raw(None, creating(RETURNS_ONE), STRANGER), "may create contracts")
    assert hub.send(contract, b"", RELAYER).ok, "what it created stays named"


@pytest.mark.parametrize("address", [bytes(20), (4).to_bytes(20, "big"), ROUTER_ADDRESS])
def test_reserved_addresses_are_not_named(hub, address):
    for action in (name_contract_action(1, address, True), name_deployer_action(2, address, True)):
        assert hub.execute(action).reverted_with(abi.VERIFICATION_FAILED)[0] == "nameable_address"


def test_validators_decide_the_same_by_proposals():
    hub = GovernedHub((10,), code=CodeRules(False))
    assert hub.execute(name_deployer_action(1, address_of(DEPLOYER), True)).events(abi.DEPLOYER_NAMED_EVENT) == [
        (True,)
    ]
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), DEPLOYER))
    assert hub.execute(name_contract_action(2, contract, False)).ok
    assert hub.execute(set_code_open_action(3, True)).ok
    assert hub.send(contract, b"", STRANGER).ok
    text = failure(hub.execute(name_contract_action(4, ROUTER_ADDRESS, True)))
    assert text.startswith("VerificationFailed: nameable_address")


def test_a_running_hub_closes_in_the_first_block_of_version_3():
    """Written at that height, and never before; what ran until then has to be named."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=2))
    contract = created(hub, hub.send(None, creating(RETURNS_ONE), STRANGER))
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(1, 3, at)).ok
    while hub.height < at - 1:
        assert hub.view().get(keys.CODE_OPEN_KEY) is None
        hub.advance()
    late = hub.raw(contract, b"", STRANGER)
    assert hub.application.check_tx(late).code == CODE_OK, "judged by the rules of the newest block"
    (outcome,) = hub.advance(late)
    assert outcome.code == CODE_INVALID and hub.view().get(keys.CODE_OPEN_KEY) == b"\x00"
    hub.nonces[STRANGER.address] -= 1
    assert hub.execute(name_contract_action(2, contract, True)).ok
    assert hub.send(contract, b"", STRANGER).ok


@pytest.mark.parametrize(("fees", "written"), [(None, b"\x00"), (FeeRules(10**9, bytes(20)), b"\x01")])
def test_without_a_word_in_genesis_code_is_open_where_it_costs(fees, written):
    hub = SimulatedHub(genesis=hub_genesis(fees=fees, code=None))
    assert hub.view().get(keys.CODE_OPEN_KEY) == written


def test_kinds_of_version_3_are_unknown_before_it():
    action = name_deployer_action(1, address_of(STRANGER), True)
    admins = SimulatedHub(genesis=hub_genesis(rules_version=2))
    assert admins.execute(action).reverted_with(abi.ACTION_REFUSED)[1] == "unknown kind 12"
    governed = GovernedHub((10,), rules_version=2)
    assert governed.propose(action).reverted_with(abi.VERIFICATION_FAILED)[0] == "action.kind"


def test_genesis_names_deployers_and_contracts_and_says_what_is_wrong():
    code = CodeRules(False, (b"\x11" * 20, b"\x22" * 20), (b"\x33" * 20,))
    genesis = hub_genesis(code=code)
    assert decode_genesis(encode_genesis(genesis)) == genesis
    hub = SimulatedHub(genesis=genesis)
    assert [address for address, _ in rows(hub)] == [b"\x33" * 20]
    document = json.loads(encode_genesis(genesis))
    for field, value in (
        ("open", 1),
        ("deployers", ["0x" + "22" * 20, "0x" + "11" * 20]),
        ("deployers", ["0x" + "11" * 20] * 2),
        ("contracts", ["0x" + "00" * 18 + "1000"]),
        ("contracts", ["0x"] * 1_025),
        ("more", []),
    ):
        changed = document | {"code": document["code"] | {field: value}}
        with pytest.raises(MalformedInput) as error:
            decode_genesis(json.dumps(changed).encode())
        assert error.value.field.startswith(f"code.{field}")
    old = json.loads(encode_genesis(hub_genesis(rules_version=2)))
    with pytest.raises(MalformedInput, match="from rules version 3 on"):
        decode_genesis(json.dumps(old | {"code": document["code"]}).encode())


async def test_the_names_of_a_hub_are_read_page_by_page():
    """More deployers than an answer holds, through the node's method and the adapter that follows its pages."""
    deployers = tuple(number.to_bytes(20, "big") for number in range(2**100, 2**100 + 1_024))
    hub = SimulatedHub(genesis=hub_genesis(code=CodeRules(False, deployers, (b"\x33" * 20,))))
    read = HutongMethods(hub.application).methods()["hutong_code"]

    class Client:
        async def call(self, method, params, decode):
            return decode(Fields(method, await read(Params(params))))

    class Execution:
        client = Client()

    first = await read(Params([]))
    assert (len(first["deployers"]), first["open"]) == (1_000, False)
    found = await named_code(Execution())
    assert (found.is_open, found.deployers) == (False, deployers)
    assert found.contracts == {b"\x33" * 20: None}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x" + "11" * 20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["open", "deployers", "contracts", "address", "deployer"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
)
def test_fuzz_what_a_node_says_of_its_names_is_read_or_refused(value):
    try:
        found = _decode(Fields("hutong_code", value))
    except BadAnswer:
        return
    assert all(len(one) == 20 for one in (*found.deployers, *found.contracts))
