"""One node process that asks other projects' verifiers: @confio/ics23, @ethereumjs/mpt, @lodestar/light-client."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.ethereum import Fork, Network
from hutong.light_clients.proofs import ics23
from tests.nodes.provision import javascript_peers

SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True, slots=True)
class Refused:
    """What the peer said instead of a value."""

    error: str


class JavascriptPeers:
    """Questions go over the process' input, one line each; its answers come back in order."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, **question: Any) -> Any:
        """The peer's value, or `Refused`."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process was started with pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"node ended with {self._process.wait()}")
        answer = json.loads(line)
        return Refused(answer["error"]) if "error" in answer else answer["value"]

    def rate_per_s(self, question: dict[str, Any], rounds: int = 5, round_s: float = 0.3) -> float:
        """Best of some rounds, by processor time."""
        rate = self.ask(kind="rate", of=question, rounds=rounds, roundS=round_s)
        if isinstance(rate, Refused):
            raise TypeError(f"the peer does not take what it is timed with: {rate.error}")
        return float(rate)

    def enter(self, network: Network) -> str:
        """Says which beacon chain updates are of; the name of the BLS library that judges them."""
        epochs: dict[str, int | None] = {fork.name: None for fork in Fork if fork is not Fork.PHASE0}
        versions: dict[str, str] = {}
        for activation in network.forks:
            name = "GENESIS" if activation.fork is Fork.PHASE0 else activation.fork.name
            versions[name] = activation.version.hex()
            if name != "GENESIS":
                epochs[name] = activation.epoch
        root = network.genesis_validators_root.hex()
        implementation = self.ask(kind="network", genesisValidatorsRoot=root, versions=versions, epochs=epochs)
        if isinstance(implementation, Refused):
            raise TypeError(implementation.error)
        return str(implementation)


def ics23_question(
    spec: str, proof: ics23.ExistenceProof | ics23.NonExistenceProof, root: bytes, key: bytes, value: bytes | None
) -> dict[str, Any]:
    """Whether `key` holds `value`, or nothing with None."""
    data = ics23.encode_commitment_proof(proof).hex()
    held = None if value is None else value.hex()
    return {"kind": "ics23", "spec": spec, "root": root.hex(), "key": key.hex(), "value": held, "proof": data}


def ics23_batch_question(
    spec: str, batch: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]
) -> dict[str, Any]:
    """Whether each key holds its value, or nothing with None, by one CommitmentProof."""
    asked = [[key.hex(), None if value is None else value.hex()] for key, value in items]
    return {"kind": "ics23Batch", "spec": spec, "root": root.hex(), "items": asked, "proof": batch.hex()}


def mpt_question(root: bytes, proofs: Sequence[tuple[bytes, Sequence[bytes]]]) -> dict[str, Any]:
    """The RLP value under unhashed keys: of one trie, or of an account and then of a slot in its storage."""
    listed = [{"key": key.hex(), "nodes": [node.hex() for node in nodes]} for key, nodes in proofs]
    return {"kind": "mpt", "root": root.hex(), "proofs": listed}


def update_question(fork: Fork, update: bytes, committee: bytes, *, cached: bool = True) -> dict[str, Any]:
    """Whether a LightClientUpdate (SSZ) is valid under a SyncCommittee (SSZ), whose keys are decoded once or each time."""
    name = fork.name.lower()
    return {"kind": "update", "fork": name, "update": update.hex(), "committee": committee.hex(), "cached": cached}


def start_question(fork: Fork, bootstrap: bytes, updates: Sequence[bytes], *, validate: bool) -> dict[str, Any]:
    """Whether updates (SSZ) follow from the committee of a bootstrap (SSZ); `validate`: keys are shown to be in their subgroup."""
    listed = [update.hex() for update in updates]
    return {
        "kind": "start",
        "fork": fork.name.lower(),
        "bootstrap": bootstrap.hex(),
        "updates": listed,
        "validate": validate,
    }


@contextmanager
def running_peers(preset: str = "mainnet") -> Iterator[JavascriptPeers]:
    """The process with its packages; `preset` is of beacon chains."""
    home = javascript_peers()
    script = home / SCRIPT.name
    shutil.copyfile(SCRIPT, script)
    environment = {**os.environ, "LODESTAR_PRESET": preset}
    with subprocess.Popen(
        ["node", str(script)],
        cwd=home,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield JavascriptPeers(process)
        finally:
            process.kill()
