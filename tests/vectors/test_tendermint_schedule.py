"""Our schedule over the blocks of the model-based runs of tendermint-rs, judged at the times of the model."""

from itertools import pairwise

import pytest

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VERIFY, InsufficientTrust, VerificationError
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.bisection import Bisection
from hutong.light_clients.tendermint.types import LightBlock
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update
from tests.vectors.conftest import VECTORS
from tests.vectors.formats_tendermint import sorted_set, trust_level
from tests.vectors.test_vectors import absent
from tests.vectors.vector_registry import Manifest

pytestmark = pytest.mark.vectors


class Run:
    """One file: its blocks by height, as the model served them first, each judged by our rules at the model's time for it."""

    def __init__(self, entry) -> None:
        case = entry.json()
        self.options = Options(
            trust_level(entry.params["trust_level"]),
            int(case["initial"]["trusting_period"]),
            int(entry.params["clock_drift_s"]) * NANOSECONDS_PER_SECOND,
        )
        initial = rpc_json.signed_header_from_rpc(case["initial"]["signed_header"]).header
        self.start, self.chain_id = initial.height, initial.chain_id
        self.trusted = {
            initial.height: (initial, sorted_set(case["initial"]["next_validator_set"], "next_validator_set"))
        }
        self.served = {}
        for step in case["input"]:
            self.served.setdefault(int(step["block"]["signed_header"]["header"]["height"]), step)
        self.model = [
            (int(step["block"]["signed_header"]["header"]["height"]), step["verdict"]) for step in case["input"]
        ]

    @property
    def model_steps(self) -> set[tuple[int, int]]:
        """From which height the model believed which."""
        believed = [self.start, *(height for height, verdict in self.model if verdict == "SUCCESS")]
        return set(pairwise(believed))

    def believes(self, trusted: int, height: int) -> bool:
        """Raises VerificationError for an invalid block."""
        header, announced = self.trusted[trusted]
        block, now_ns = self.served[height]["block"], rpc_json.parse_time_ns(self.served[height]["now"], "now")
        signed = rpc_json.signed_header_from_rpc(block["signed_header"])
        state = TrustedState(header.height, header.time_ns, header.next_validators_hash)
        own = sorted_set(block["validator_set"], "validator_set")
        try:
            judge_update(VERIFY, self.chain_id, LightBlock(signed, own), state, announced, self.options, now_ns)
        except InsufficientTrust:
            return False
        self.trusted[height] = signed.header, sorted_set(block["next_validator_set"], "next_validator_set")
        return True

    def followed(self) -> tuple[Bisection, str]:
        """How far the schedule comes, and why not further: a block that nobody served, or an invalid one."""
        way = Bisection.between(self.start, max(self.served))
        while (height := way.next_height) is not None:
            if height not in self.served:
                return way, "not served"
            try:
                believed = self.believes(way.trusted, height)
            except VerificationError:
                return way, "invalid"
            way = way.believed() if believed else way.not_enough_trust()
        return way, "reached"


def test_schedule_over_the_model_based_runs():
    if not (VECTORS / "manifest.json").is_file():
        absent()
    for entry in Manifest(VECTORS).entries:
        if entry.format != "tendermint-rs-mbt":
            continue
        run = Run(entry)
        if max(run.served) <= run.start:
            continue
        way, end = run.followed()
        believed_by_model = [height for height, verdict in run.model if verdict == "SUCCESS"]
        if end == "reached":
            assert all(height in run.trusted for height in way.steps)
            assert way.trusted >= max(believed_by_model, default=0), entry.file
        else:
            # Most models end in a block that is invalid, or judge a later block after the first trusted one has expired.
            assert (way.trusted, way.next_height) not in run.model_steps, entry.file
        for before, after in zip((run.start, *way.steps), way.steps, strict=False):
            assert before < after and {before, after} <= set(run.trusted), entry.file
