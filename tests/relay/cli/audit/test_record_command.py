"""`hutong audit record`: exit codes, what is printed, and that it opens no socket."""

import json

import pytest

from tests.relay.audit.records.shown_records import RECORDED
from tests.relay.cli.audit.without_network import in_its_own_process, within_this_process

AT = "1700000010"
OBSERVATION, CHECKPOINT = RECORDED / "observation.record.json", RECORDED / "observation.checkpoint.json"
STORAGE, EVM_CHECKPOINT = RECORDED / "storage.record.json", RECORDED / "storage.checkpoint.json"


def record(*arguments, run=within_this_process):
    return run("audit", "record", *arguments)


@pytest.mark.long
def test_what_holds_is_said_with_every_predicate():
    done = record(OBSERVATION, "--checkpoint", CHECKPOINT, "--at", AT, "--max-age", 30, "--min-trust", 255)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "record_is_canonical",
        "two_thirds_signed",
        "epoch_is_proven",
        "source_is_fresh",
        "shown: hutong-1 at height 1-4 of 2023-11-14T22:13:24Z held",
        "observed at height 0-7 of 2023-11-14T22:13:21Z, proven, epoch 1",
        "observation/client/bft-evm-0: epoch 1, readable",
        "trust: hutong-1 forward from checkpoint 2",
    ):
        assert line in done.stdout
    storage = record(STORAGE, "--checkpoint", EVM_CHECKPOINT, "--at", AT, run=in_its_own_process)
    assert storage.returncode == 0, storage.stdout + storage.stderr
    assert "slot_proven" in storage.stdout
    assert ": nothing" in storage.stdout


def test_json_has_statements_and_every_check():
    done = record(OBSERVATION, "--checkpoint", CHECKPOINT, "--at", AT, "--json")
    found = json.loads(done.stdout)
    assert found["valid"] is True
    assert found["predicates"] == len(found["checks"])
    assert [sorted(one["what"]) for one in found["statements"]] == [["record"], ["record"]]
    assert (found["chain_id"], found["height"], found["failure"]) == ("hutong-1", "1-4", None)


@pytest.mark.long
def test_refused_by_its_predicate(tmp_path):
    stale = record(OBSERVATION, "--checkpoint", CHECKPOINT, "--at", AT, "--max-age", 8, run=in_its_own_process)
    assert (stale.returncode, "source_is_fresh" in stale.stdout) == (1, True)
    fresh = record(OBSERVATION, "--checkpoint", CHECKPOINT, "--at", AT, "--max-age", 10)
    assert fresh.returncode == 0, fresh.stdout
    damaged = tmp_path / "damaged.record.json"
    damaged.write_bytes(OBSERVATION.read_bytes().replace(b'"height":"1-4"', b'"height":"1-3"'))
    done = record(damaged, "--checkpoint", CHECKPOINT, "--at", AT, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["failure"]["name"] == "header_height_known"


def test_without_a_time_the_checkpoint_expires_by_the_hosts_clock():
    done = record(OBSERVATION, "--checkpoint", CHECKPOINT)
    assert (done.returncode, "within_trusting_period" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((OBSERVATION, "--checkpoint", EVM_CHECKPOINT), "the record is of chain hutong-1"),
        ((OBSERVATION, "--checkpoint", OBSERVATION), "is not a checkpoint"),
        ((CHECKPOINT, "--checkpoint", RECORDED / "none.json"), "none.json"),
        ((OBSERVATION, "--checkpoint", CHECKPOINT, "--min-trust", 65), "min_trust"),
        ((OBSERVATION, "--checkpoint", CHECKPOINT, "--at", "noon"), "--at"),
    ],
)
def test_unusable_input_is_one_sentence(arguments, said):
    done = record(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
