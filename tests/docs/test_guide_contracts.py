"""Every whole contract that the dapp guide prints compiles without a warning, and does on a router what the guide says."""

import re
from pathlib import Path

import pytest
from eth_abi import encode

import hutong.contracts
from hutong.contracts.artifacts import ContractArtifact
from hutong.contracts.compile import collect_sources, ensure_packages, imported, run_compiler, standard_json
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.forward import decode_forward_request
from hutong.light_clients.ibc.gmp import decode_gmp, encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts import evm
from tests.contracts.lane import ORIGIN_CHAIN, ORIGIN_CLIENT, REMOTE_SENDER, Lane, new_lane
from tests.contracts.transfer.transfer_lane import ALICE, TransferLane

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dapp-guide.md"
QUICKSTART = PAGE.with_name("quickstart-dapp.md")
SOLIDITY = re.compile(r"^```solidity\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENT = b"\xd0" * 32

pytestmark = pytest.mark.nodes


def whole_files() -> list[str]:
    return [text for text in SOLIDITY.findall(PAGE.read_text()) if "pragma solidity" in text]


def test_trial_T16_what_the_guide_imports_is_where_the_quickstart_lets_solc_look():
    """It names the folder of the package `contracts`, and node_modules; a file of the reader's stands anywhere."""
    include = Path(hutong.contracts.__path__[0]).resolve().parent
    assert "os.path.dirname(os.path.realpath(c.__path__[0]))" in QUICKSTART.read_text()
    names = [name for text in whole_files() for name in re.findall(r'from "([^"]+)"', text)]
    ours = [name for name in names if not name.startswith("@openzeppelin/")]
    assert ours
    assert [name for name in ours if name.startswith(".") or not (include / name).is_file()] == []


@pytest.fixture(scope="module")
def printed():
    """The guide's contracts by name."""
    ensure_packages()
    # The package that readers compile against is called `contracts`; here the sources have their names inside of it.
    guide = {
        f"guide/{number}.sol": text.replace('"contracts/src/', '"src/') for number, text in enumerate(whole_files())
    }
    needed = {name for path, text in guide.items() for name in imported(path, text)}
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    output = run_compiler(standard_json({**collect_sources(sorted(needed)), **guide}, wanted))
    return {
        name: ContractArtifact(
            name,
            path,
            contract["abi"],
            bytes.fromhex(contract["evm"]["bytecode"]["object"]),
            bytes.fromhex(contract["evm"]["deployedBytecode"]["object"]),
        )
        for path in guide
        for name, contract in output["contracts"][path].items()
    }


@pytest.fixture
def deployable(printed, monkeypatch):
    """Lanes deploy the guide's contracts by name, as they do ours."""
    ours = evm.artifact
    monkeypatch.setattr(evm, "artifact", lambda name: printed.get(name) or ours(name))
    assert printed.keys() >= {"Registry", "Oracle", "Payer"}


@pytest.fixture
def registry(deployable):
    lane = new_lane(Lane)
    contract = lane.evm.deploy("Registry", lane.mailbox.address, ORIGIN_CHAIN, REMOTE_SENDER)
    return lane, contract


def acknowledgement(outcome):
    (written,) = outcome.named("WriteAcknowledgement")
    (entry,) = written["acknowledgements"]
    return entry


def test_registry_takes_a_document_of_its_writer_and_answers(registry):
    lane, contract = registry
    outcome = lane.receive(lane.forwarded_packet(contract.text, DOCUMENT))
    registered_at = contract.call("documents", DOCUMENT)
    assert registered_at > 0
    assert acknowledgement(outcome) == encode_gmp_acknowledgement(encode(["uint256"], [registered_at]))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"sender": "0x" + "cc" * 20}, "NotTheWriter"), ({"payload": DOCUMENT + b"\0"}, "Malformed")],
)
def test_registry_refuses_for_good_what_is_not_its_writers_or_of_another_form(registry, printed, fields, reason):
    lane, contract = registry
    packet = lane.forwarded_packet(contract.text, **({"payload": DOCUMENT} | fields))
    outcome = lane.receive(packet)
    assert acknowledgement(outcome) == ERROR_ACKNOWLEDGEMENT
    (told,) = outcome.named("IBCAppRecvPacketCallbackError")
    entry = next(item for item in printed["Registry"].abi if item.get("name") == reason)
    assert evm.keccak256(evm.signature_of(entry).encode())[:4] in told["reason"]
    assert contract.call("documents", DOCUMENT) == 0


def test_registry_believes_nobody_but_the_mailbox(registry):
    lane, contract = registry
    origin = (ORIGIN_CHAIN, ORIGIN_CLIENT, "gmpport", 7, True)
    with pytest.raises(evm.Reverted):
        contract.transact("onMessage", origin, REMOTE_SENDER, DOCUMENT)


def test_a_revert_without_a_reason_is_no_refusal(registry):
    """What the guide warns of: the packet stays undelivered."""
    lane, _ = registry
    silent = lane.evm.deploy("ExampleToken", "Example", "EXA", 1)
    packet = lane.forwarded_packet(silent.text, DOCUMENT)
    message = lane.receive_message(packet)
    with pytest.raises(evm.Reverted, match="IBCFailedCallback"):
        lane.router.transact("recvPacket", message)


def test_oracle_keeps_the_question_and_anyone_sends_the_answer_back_once(deployable):
    lane = new_lane(Lane)
    oracle = lane.evm.deploy("Oracle", lane.mailbox.address)
    outcome = lane.receive(lane.forwarded_packet(oracle.text, b"question"))
    question_id = lane.mailbox.call("messageIdOf", True, ORIGIN_CLIENT, 7)
    assert acknowledgement(outcome) == encode_gmp_acknowledgement(encode(["bytes32"], [question_id]))
    answer = oracle.transact("reply", question_id, sender=b"\x12" * 20)
    (payload,) = lane.sent(answer).payloads
    request = decode_forward_request(payload.value)
    assert (request.next_client, request.encoding) == (ORIGIN_CLIENT, ABI_ENCODING)
    data = decode_gmp(request.value)
    assert (data.sender, data.receiver) == (oracle.text, REMOTE_SENDER)
    assert data.payload[:32] == question_id
    with pytest.raises(evm.Reverted):
        oracle.transact("reply", question_id)


def payment(lane, payer):
    lane.token.transact("approve", payer.address, 100, sender=ALICE)
    outcome = payer.transact("pay", lane.token.address, 100, ORIGIN_CLIENT, REMOTE_SENDER, sender=ALICE)
    packet = lane.sent(outcome)
    name = evm.keccak256(encode(["string", "uint64"], [packet.source_client, packet.sequence]))
    assert payer.call("payments", name)[0] in (ALICE, f"0x{ALICE.hex()}")
    assert lane.token.call("balanceOf", lane.transfer.address) == 100
    return packet, name


@pytest.mark.parametrize("ending", ["time_out", "fail"])
def test_trial_T12_payer_pays_over_the_hub_and_gives_the_refund_on(deployable, ending):
    lane = new_lane(TransferLane)
    payer = lane.evm.deploy("Payer", lane.transfer.address)
    packet, name = payment(lane, payer)
    before = lane.token.call("balanceOf", ALICE)
    with pytest.raises(evm.Reverted):
        payer.transact("refund", packet.source_client, packet.sequence)
    with pytest.raises(evm.Reverted):
        payer.transact("onTransferSettled", packet.source_client, packet.sequence, 3)
    assert not getattr(lane, ending)(packet).named("SettlementCallbackFailed")
    assert lane.token.call("balanceOf", ALICE) == before + 100
    assert payer.call("payments", name)[2] == 0
    with pytest.raises(evm.Reverted):
        payer.transact("refund", packet.source_client, packet.sequence)


def test_trial_T12_payer_forgets_a_payment_that_arrived(deployable):
    lane = new_lane(TransferLane)
    payer = lane.evm.deploy("Payer", lane.transfer.address)
    packet, name = payment(lane, payer)
    lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT)
    assert payer.call("payments", name)[2] == 0
    with pytest.raises(evm.Reverted):
        payer.transact("refund", packet.source_client, packet.sequence)


def test_trial_T12_payer_fetches_a_refund_that_the_token_refused(deployable):
    """Held for the contract, told by a callback that could not give it on, and fetched later by anyone."""
    lane = new_lane(TransferLane)
    payer = lane.evm.deploy("Payer", lane.transfer.address)
    packet, _ = payment(lane, payer)
    before = lane.token.call("balanceOf", ALICE)
    lane.token.transact("blockAccount", payer.address, True)
    assert lane.fail(packet).named("SettlementCallbackFailed")
    assert lane.token.call("balanceOf", ALICE) == before
    payer.transact("refund", packet.source_client, packet.sequence, sender=b"\x12" * 20)
    assert lane.token.call("balanceOf", ALICE) == before + 100
