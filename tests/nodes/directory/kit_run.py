"""A run of the Dataspace Protocol's test kit against our connector, which an operator's script leads by its HTTP door.

    python -m tests.nodes.directory.kit_run --runs 3 --wait 7

prints the totals of each run; the kit's jars come by `python tests/nodes/provision.py dsp-kit`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from hutong.relay.local.ports import free_ports
from hutong.relay.web.api_keys import Scope, add_key
from tests.nodes.directory.kit_script import CONSUMED, PROVIDED, TRANSFERRED, offer_of, setting
from tests.nodes.provision import dsp_kit

TCK = "TCK_PARTICIPANT"
OURS = "did:web:hutong.example"
PAUSE_S = 0.1
"""Between two looks of the operator's script."""
ADDRESS = {
    "@type": "DataAddress",
    "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
    "endpoint": "http://127.0.0.1/data",
}


@dataclass(frozen=True)
class Outcome:
    """Totals of the kit, and a line of each failure."""

    passed: int
    failed: int
    skipped: int
    failures: tuple[str, ...]


def write_connector(home: Path, ports: dict[str, int], key_file: Path) -> Path:
    """The configuration of a connector that knows the kit alone, with a data set for each of its tests."""
    token, shown = "test-kit-token-of-the-kit-0123456789", home / "kit.token"
    shown.write_text("token-that-we-show-the-kit-0123456789\n")
    shown.chmod(0o600)
    datasets = [
        {
            "@id": name,
            "@type": "Dataset",
            "hasPolicy": [{"@id": offer_of(name), "@type": "Offer", "permission": [{"action": "use"}]}],
            "distribution": [{"@type": "Distribution", "format": "HTTP-PULL"}],
        }
        for name in PROVIDED
    ]
    (home / "datasets.json").write_text(json.dumps(datasets))
    config = home / "connector.toml"
    config.write_text(
        f"""[connector]
home = "state"
listen = "127.0.0.1:{ports["ours"]}"
public_url = "http://127.0.0.1:{ports["ours"]}"
participant_id = "{OURS}"
datasets_file = "datasets.json"
keys_file = "{key_file}"
decisions = "manual"
rate_limit_per_s = 10000

[[participants]]
id = "{TCK}"
url = "http://localhost:{ports["kit"]}"
token_digest = "sha256:{sha256(token.encode()).hexdigest()}"
token_file = "kit.token"
"""
    )
    return config


def settings_of(ports: dict[str, int], wait_s: int) -> str:
    """The kit's file of properties."""
    base = f"http://127.0.0.1:{ports['ours']}"
    lines = {
        "dataspacetck.debug": "false",
        "dataspacetck.port": str(ports["kit"]),
        "dataspacetck.host": "127.0.0.1",
        "dataspacetck.callback.address": f"http://localhost:{ports['kit']}",
        "dataspacetck.dsp.default.wait": str(wait_s),
        "dataspacetck.dsp.connector.agent.id": OURS,
        "dataspacetck.dsp.connector.http.url": f"{base}/dsp",
        "dataspacetck.dsp.connector.http.base.url": base,
        "dataspacetck.dsp.connector.http.headers.authorization": "Bearer test-kit-token-of-the-kit-0123456789",
        "dataspacetck.dsp.connector.negotiation.initiate.url": f"http://127.0.0.1:{ports['trigger']}/negotiations",
        "dataspacetck.dsp.connector.transfer.initiate.url": f"http://127.0.0.1:{ports['trigger']}/transfers",
        "CAT_01_01_DATASETID": "CN0101",
        "CAT_01_02_DATASETID": "CN0101",
    }
    for name in (*PROVIDED, *CONSUMED):
        lines[f"{setting(name)}_DATASETID"] = name
        lines[f"{setting(name)}_OFFERID"] = offer_of(name)
    for name in TRANSFERRED:
        lines[f"{setting(name)}_AGREEMENTID"] = f"urn:agreement:{name}"
        lines[f"{setting(name)}_FORMAT"] = "HTTP-PULL"
    return "".join(f"{name}={value}\n" for name, value in lines.items())


class Operator:
    """Takes the steps of the script at the operator's door."""

    def __init__(self, base: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=f"{base}/v1", headers=headers, trust_env=False, timeout=60)
        self._done: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._after = {"negotiations": 0, "transfers": 0}
        self._open: dict[str, dict] = {}
        self.refused: list[str] = []

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def hold_agreements(self) -> None:
        """The agreements that the kit's transfers are under, as made elsewhere."""
        for name in TRANSFERRED:
            assigner, assignee = (TCK, OURS) if name.startswith("TPC") else (OURS, TCK)
            agreement = {
                "@id": f"urn:agreement:{name}",
                "@type": "Agreement",
                "target": name,
                "assigner": assigner,
                "assignee": assignee,
                "timestamp": "2026-11-30T00:00:00Z",
                "permission": [{"action": "use"}],
            }
            self._client.post("/agreements", json={"agreement": agreement}).raise_for_status()

    def begin(self, place: str, asked: dict) -> None:
        """What the kit's triggers ask for."""
        body = {"participant": TCK, "address": asked["connectorAddress"]}
        if place == "negotiations":
            offer = {"@id": asked["offerId"], "@type": "Offer", "target": asked["datasetId"]}
            body["offer"] = offer | {"permission": [{"action": "use"}]}
        else:
            body |= {"agreement": asked["agreementId"], "format": asked["format"]}
        answer = self._client.post(f"/{place}", json=body)
        if answer.status_code != 200:
            self.refused.append(f"{place} {asked}: {answer.text}")

    def look(self) -> None:
        """Take every step that is due."""
        for place in self._after:
            found = self._client.get(f"/{place}", params={"after": self._after[place]}).json()[place]
            for process in found:
                self._after[place] = process["changed"]
                self._open[process["pid"]] = process
        for process in list(self._open.values()):
            self._act(process)

    def _act(self, process: dict) -> None:
        pid, is_transfer = process["pid"], process["is_transfer"]
        named = process["agreement_id"].removeprefix("urn:agreement:") if is_transfer else process["offer"]["target"]
        # A counter-offer of the kit names another target: the first look says which test it is.
        name = self._names.setdefault(pid, named)
        script = TRANSFERRED[name] if is_transfer else (PROVIDED | CONSUMED)[name]
        done = self._done.get(pid, 0)
        if done == len(script) or process["state"] != script[done][0]:
            return
        step = script[done][1]
        body: dict = {}
        if step == "start" and process["role"] == "provider":
            body["dataAddress"] = ADDRESS
        if process["judged"] is not None and step in ("accept", "verify"):
            body["despite"] = process["judged"].partition(":")[0]
        answer = self._client.post(f"/{'transfers' if is_transfer else 'negotiations'}/{pid}/{step}", json=body)
        if answer.status_code == 200:
            self._done[pid] = done + 1
        elif "counterparty_has_answered" not in answer.text:
            self.refused.append(f"{name} {step}: {answer.text}")
            self._done[pid] = done + 1


@contextmanager
def leading(operator: Operator, port: int) -> Iterator[None]:
    """The operator's script and the kit's triggers, while the block lasts."""

    class Trigger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            operator.begin(self.path.strip("/"), asked)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Trigger)
    stopped = threading.Event()

    def look() -> None:
        while not stopped.wait(PAUSE_S):
            try:
                operator.look()
            except httpx.HTTPError as error:  # a busy machine; the next look sees the same
                operator.refused.append(repr(error))

    threads = [threading.Thread(target=one, daemon=True) for one in (server.serve_forever, look)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        for one in threads:
            one.join()
        operator.close()


def run_kit(kit: Path, settings: Path, timeout_s: float) -> tuple[Outcome, str]:
    """The kit in its own process; its totals, and all that it printed."""
    began_s = time.monotonic()
    ran = subprocess.run(
        ["java", "-cp", f"{kit}/lib/*", str(kit / "DspKit.java"), str(settings)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    totals = re.search(r"^TOTALS found=(\d+) passed=(\d+) failed=(\d+) skipped=(\d+)$", ran.stdout, re.MULTILINE)
    assert totals is not None, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    failures = tuple(line.removeprefix("FAILED ") for line in ran.stdout.splitlines() if line.startswith("FAILED "))
    said = f"{ran.stdout}\n{time.monotonic() - began_s:.0f} s"
    return Outcome(int(totals[2]), int(totals[3]), int(totals[4]), failures), said


@contextmanager
def running_connector(config: Path) -> Iterator[None]:
    """`hutong directory serve` in its own process, ready."""
    with (
        (config.parent / "connector.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "hutong.relay.cli", "directory", "serve", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("connector ready at "), (line, (config.parent / "connector.log").read_text())
        try:
            yield
        finally:
            process.terminate()


def judged(home: Path, wait_s: int, timeout_s: float) -> tuple[Outcome, str, list[str]]:
    """One whole run: a new connector in `home`, its operator, the kit.

    Args:
        wait_s: how long the kit waits for each message.

    Returns:
        The totals, what the kit printed, and what the operator's door refused.
    """
    ports = dict(zip(("ours", "kit", "trigger"), free_ports(3), strict=True))
    key = add_key(home / "keys.json", "operator", [Scope.ADMIN])
    config, settings = write_connector(home, ports, home / "keys.json"), home / "kit.properties"
    settings.write_text(settings_of(ports, wait_s))
    with running_connector(config):
        operator = Operator(f"http://127.0.0.1:{ports['ours']}", key)
        operator.hold_agreements()
        with leading(operator, ports["trigger"]):
            outcome, said = run_kit(dsp_kit(), settings, timeout_s)
    return outcome, said, operator.refused


def main() -> int:
    """Print the totals of some runs; 1 where a test of the kit failed."""
    parser = argparse.ArgumentParser(description="The Dataspace Protocol's test kit against our connector.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--wait", type=int, default=7, help="seconds that the kit waits for a message")
    options = parser.parse_args()
    failed = 0
    for number in range(options.runs):
        with tempfile.TemporaryDirectory() as home:
            outcome, said, _ = judged(Path(home), options.wait, 1_500)
        seconds, load = said.rsplit(maxsplit=2)[1], os.getloadavg()[0]
        print(
            f"run {number + 1}: {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped, {seconds} s, load {load:.0f}"
        )
        for line in outcome.failures:
            print(f"  {line}")
        failed += outcome.failed
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
