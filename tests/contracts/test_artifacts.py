"""What is shipped: names, sizes, ABIs, and that nothing in an artifact tells where it was built."""

import json
from importlib import resources

import pytest

from hutong.contracts import roles
from hutong.contracts.artifacts import UnknownContract, artifact_names, load_artifact
from hutong.contracts.compile import MAX_CODE_BYTES, SETTINGS, imported
from hutong.light_clients.crypto import keccak256
from tests.contracts.evm import signature_of

PUBLIC_FUNCTIONS = {
    "sendPacket((string,uint64,(string,string,string,string,bytes)))",
    "recvPacket(((uint64,string,string,uint64,(string,string,string,string,bytes)[]),bytes,(uint64,uint64)))",
    "ackPacket(((uint64,string,string,uint64,(string,string,string,string,bytes)[]),bytes,bytes,(uint64,uint64)))",
    "timeoutPacket(((uint64,string,string,uint64,(string,string,string,string,bytes)[]),bytes,(uint64,uint64)))",
    "updateClient(string,bytes)",
    "submitMisbehaviour(string,bytes)",
    "addClient((string,bytes[]),address)",
    "addClient(string,(string,bytes[]),address)",
    "migrateClient(string,(string,bytes[]),address)",
    "getClient(string)",
    "getCounterparty(string)",
    "getNextClientSeq()",
    "addIBCApp(string,address)",
    "addIBCApp(address)",
    "getIBCApp(string)",
    "getCommitment(bytes32)",
    "multicall(bytes[])",
}
"""Of cosmos/solidity-ibc-eureka ICS26Router, without initialisation and upgrade of its proxy."""

PUBLIC_EVENTS = {
    "SendPacket(string,uint256,(uint64,string,string,uint64,(string,string,string,string,bytes)[]))",
    "WriteAcknowledgement(string,uint256,(uint64,string,string,uint64,(string,string,string,string,bytes)[]),bytes[])",
    "AckPacket(string,uint256,(uint64,string,string,uint64,(string,string,string,string,bytes)[]),bytes)",
    "TimeoutPacket(string,uint256,(uint64,string,string,uint64,(string,string,string,string,bytes)[]))",
    "Noop()",
    "IBCAppAdded(string,address)",
    "IBCAppRecvPacketCallbackError(bytes)",
    "ICS02ClientAdded(string,(string,bytes[]),address)",
    "ICS02ClientMigrated(string,(string,bytes[]),address)",
    "ICS02ClientUpdated(string,uint8)",
    "ICS02MisbehaviourSubmitted(string)",
}


def signatures(name, kind):
    return {signature_of(entry) for entry in load_artifact(name).abi if entry["type"] == kind}


def test_router_has_the_public_abi():
    assert signatures("Router", "function") >= PUBLIC_FUNCTIONS
    assert signatures("Router", "event") >= PUBLIC_EVENTS


def test_known_selectors_and_topics():
    """Computed by hand from the public sources; a changed struct would move them."""
    assert keccak256(b"getCommitment(bytes32)")[:4].hex() == "7795820c"
    assert len({keccak256(signature.encode())[:4] for signature in PUBLIC_FUNCTIONS}) == len(PUBLIC_FUNCTIONS)


@pytest.mark.parametrize("name", artifact_names())
def test_artifact_is_well_formed(name):
    artifact = load_artifact(name)
    assert artifact.name == name
    assert len(artifact.deployed_bytecode) <= MAX_CODE_BYTES
    assert bool(artifact.bytecode) == bool(artifact.deployed_bytecode)
    assert artifact.source.startswith(("src/", "@openzeppelin/"))
    assert artifact.abi


def test_deployable_contracts_are_all_there():
    deployable = {name for name in artifact_names() if load_artifact(name).bytecode}
    assert deployable == {
        "AccessManager",
        "Anchor",
        "ArchiveAnchor",
        "AttestationClient",
        "ExampleAgeGate",
        "ExampleCargo",
        "ExampleCertificates",
        "ExampleClearing",
        "ExampleCourtOrders",
        "ExampleCustoms",
        "ExampleEmployer",
        "ExampleGreenRegistry",
        "ExampleInspections",
        "ExampleLetterOfCredit",
        "ExampleLotBook",
        "ExampleModels",
        "ExamplePharmacy",
        "ExamplePrescriptions",
        "ExampleReceiver",
        "ExampleRemoteFeed",
        "ExampleReserveToken",
        "ExampleSender",
        "ExampleShop",
        "ExampleStorageEscrow",
        "ExampleToken",
        "ExampleToll",
        "ExampleTollBoard",
        "ExampleVault",
        "Feed",
        "HubClient",
        "HubReader",
        "IdentityCache",
        "Mailbox",
        "RecordedAmounts",
        "Router",
        "StorageAudit",
        "Swap",
        "Title",
        "Transfer",
        "Voucher",
    }


def test_artifacts_do_not_say_where_they_were_built():
    for name in artifact_names():
        text = resources.files("hutong.contracts.artifacts").joinpath(f"{name}.json").read_text()
        assert set(json.loads(text)) == {"name", "source", "abi", "bytecode", "deployedBytecode"}
        assert "node_modules" not in text


def test_bytecode_has_no_opcodes_newer_than_paris():
    """PUSH0, MCOPY, TLOAD and TSTORE, read by walking the code and not its push data."""
    assert SETTINGS["evmVersion"] == "paris"
    for name in artifact_names():
        code = load_artifact(name).deployed_bytecode
        position = 0
        while position < len(code):
            opcode = code[position]
            if opcode == 0xFE and position > len(code) - 4096:
                break
            assert opcode not in {0x5F, 0x5C, 0x5D, 0x5E}, (name, position)
            position += 1 + (opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)


@pytest.mark.parametrize("name", ["Nothing", "../Router", "", "Router.json"])
def test_unknown_artifacts(name):
    with pytest.raises(UnknownContract):
        load_artifact(name)


def test_roles_name_functions_that_exist():
    for open_relaying, role in ((True, roles.PUBLIC_ROLE), (False, roles.RELAYER_ROLE)):
        relay, pause, unpause, migrate = roles.router_function_roles(open_relaying=open_relaying)
        assert (len(relay.selectors), relay.role) == (4, role)
        assert (len(pause.selectors), pause.role) == (1, roles.PAUSER_ROLE)
        assert (len(unpause.selectors), unpause.role) == (1, roles.UNPAUSER_ROLE)
        assert (len(migrate.selectors), migrate.role) == (1, roles.MIGRATOR_ROLE)
    pause, unpause, limit = roles.transfer_function_roles()
    assert (len(pause.selectors), pause.role) == (1, roles.PAUSER_ROLE)
    assert (len(unpause.selectors), unpause.role) == (1, roles.UNPAUSER_ROLE)
    assert (len(limit.selectors), limit.role) == (2, roles.LIMITER_ROLE)
    assert keccak256(b"pause()")[:4] in roles.selectors("Router", ("pause",))


def test_imports_are_found():
    text = 'import "./A.sol";\nimport { B } from "../B.sol";\nimport {\n    C,\n    D\n} from "@openzeppelin/contracts/C.sol";\n'
    assert imported("src/apps/X.sol", text) == ["src/apps/A.sol", "src/B.sol", "@openzeppelin/contracts/C.sol"]
