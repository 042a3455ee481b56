"""The three judges: stock Go code, our Python client, our Solidity client. Verdicts: valid, invalid, misbehaviour."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from eth_abi.exceptions import EncodingError

from hutong.adapters.evm.hub_client import (
    constructor_arguments,
    encode_membership_proof,
    encode_misbehaviour,
    encode_non_membership_proof,
    encode_update,
)
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    Updated,
    VerificationError,
)
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.client import TendermintClient
from tests.contracts.evm import Contract, Evm, Reverted
from tests.oracle.case import Case

FOLDER = Path(__file__).resolve().parent
BINARY = FOLDER / "bin" / "oracle"
BUILD_LIMIT_S = 1_500
RUN_LIMIT_S = 600


def build_stock() -> None:
    """Compile the Go program (cached by the Go tool)."""
    subprocess.run(["go", "build", "-o", str(BINARY), "."], cwd=FOLDER, check=True, timeout=BUILD_LIMIT_S)


def stock_verdicts(cases: Sequence[Case]) -> list[dict[str, str]]:
    """What ibc-go, ics23 and CometBFT say, in order."""
    lines = "".join(json.dumps(_line(case)) + "\n" for case in cases)
    result = subprocess.run([str(BINARY)], input=lines, capture_output=True, text=True, check=True, timeout=RUN_LIMIT_S)
    return [json.loads(line) for line in result.stdout.splitlines()]


def _line(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "kind": case.kind,
        "now_ns": case.now_ns,
        "client_state": case.client_state.hex(),
        "consensus_states": [
            {"revision_number": h.revision_number, "revision_height": h.revision_height, "state": state.hex()}
            for h, state in case.consensus_states
        ],
        "message": case.message.hex(),
        "revision_number": case.height.revision_number,
        "revision_height": case.height.revision_height,
        "path": [element.hex() for element in case.path],
        "value": case.value.hex(),
    }


class Stored:
    """Consensus states of a case."""

    def __init__(self, states: Iterable[tuple[Height, bytes]]) -> None:
        self._states = dict(states)

    def get(self, height: Height) -> bytes | None:
        return self._states.get(height)

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        return max(((h, s) for h, s in self._states.items() if h < height), default=None)

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        return min(((h, s) for h, s in self._states.items() if h > height), default=None)


def python_verdict(case: Case) -> tuple[str, str]:
    """What hutong.light_clients.tendermint says, with its reason."""
    client = TendermintClient()
    stored = Stored(case.consensus_states)
    try:
        if case.kind == "create":
            client.create(case.client_state, case.consensus_states[0][1], case.now_ns)
            return "valid", ""
        if case.kind == "header":
            match client.verify_header(case.client_state, stored, case.message, case.now_ns):
                case Updated() | NoOp():
                    return "valid", ""
                case Misbehaved() as verdict:
                    return "misbehaviour", verdict.reason
                case NotEnoughTrust() as verdict:
                    return "invalid", str(verdict)
        if case.kind == "misbehaviour":
            client.check_misbehaviour(case.client_state, stored, case.message, case.now_ns)
            return "misbehaviour", ""
        state = stored.get(case.height)
        if state is None:
            return "invalid", "no consensus state"
        if case.kind == "membership":
            client.verify_membership(case.client_state, state, case.message, case.path, case.value)
        else:
            client.verify_non_membership(case.client_state, state, case.message, case.path)
    except VerificationError as error:
        return "invalid", str(error)
    return "valid", ""


class SolidityJudge:
    """HubClient in py-evm, one deployment per client and consensus state."""

    def __init__(self) -> None:
        self._deployed: dict[tuple[bytes, bytes], tuple[Evm, Contract]] = {}

    def verdict(self, case: Case) -> tuple[str, str]:
        """What HubClient says through the encoder that the relay uses."""
        try:
            evm, contract = self._contract(case)
            with evm.at(case.now_ns // NANOSECONDS_PER_SECOND):
                return self._ask(contract, case), ""
        except VerificationError as error:
            return "invalid", f"encoder: {error}"
        except EncodingError as error:
            return "invalid", f"no such value in the ABI: {error}"
        except Reverted as error:
            return "invalid", str(error)

    def _contract(self, case: Case) -> tuple[Evm, Contract]:
        key = (case.client_state, case.consensus_states[0][1])
        if case.kind != "create" and key in self._deployed:
            return self._deployed[key]
        evm = Evm(timestamp_s=case.now_ns // NANOSECONDS_PER_SECOND)
        client = codec.decode_client_state(case.client_state)
        state = codec.decode_consensus_state(case.consensus_states[0][1])
        contract = evm.deploy("HubClient", *constructor_arguments(client, state))
        self._deployed[key] = (evm, contract)
        return evm, contract

    def _ask(self, contract: Contract, case: Case) -> str:
        if case.kind == "create":
            return "valid"
        if case.kind == "header":
            update = encode_update(codec.decode_tendermint_header(case.message))
            return ("valid", "misbehaviour", "valid")[contract.call("updateClient", update)]
        if case.kind == "misbehaviour":
            contract.call("misbehaviour", encode_misbehaviour(codec.decode_misbehaviour(case.message)))
            return "misbehaviour"
        height = (case.height.revision_number, case.height.revision_height)
        if case.kind == "membership":
            proof = encode_membership_proof(case.message)
            contract.call("verifyMembership", (proof, height, list(case.path), case.value))
        else:
            contract.call("verifyNonMembership", (encode_non_membership_proof(case.message), height, list(case.path)))
        return "valid"
