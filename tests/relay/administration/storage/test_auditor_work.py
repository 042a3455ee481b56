"""When an auditor commits and reveals: what a node merely says is no reason to show a secret."""

import pytest
import trio

from hutong.relay.administration.storage.auditor_secrets import ROOT_FILE, SecretsUnusable, open_secrets
from hutong.relay.administration.storage.auditor_work import AuditorWork
from hutong.relay.administration.storage.shown_hub import ProvenRecords
from hutong.relay.services.storage.rules.audits.seed import Auditor, hub_id, secret_is_the_committed_one
from hutong.relay.services.storage.rules.calls import COMMIT_SECRET, REVEAL_SECRET
from hutong.relay.services.storage.rules.records.keys import CLOCK_KEY, secret_key
from hutong.relay.services.storage.rules.records.rounds import (
    ClockRecord,
    Fault,
    Phase,
    SecretRecord,
    SecretState,
    encode_clock_record,
    encode_secret_record,
)
from tests.relay.services.storage.rules.held import named

HUB, AUDITOR = hub_id("hutong-1"), named("auditor")
EPOCH = 7


class PlayedHub:
    """A hub as a test plays it: what its node says, what its headers prove, and what it is sent."""

    def __init__(self, proven: dict[bytes, bytes], said: dict[bytes, bytes] | None = None, height: int = 600) -> None:
        self.values, self.hints, self.height = proven, proven if said is None else said, height
        self.sent: list[tuple[str, int]] = []

    async def said(self, key):
        return self.hints.get(key)

    async def proven(self, keys):
        return ProvenRecords({key: self.values.get(key) for key in keys}, self.height, b"")

    async def send(self, call):
        named_call = COMMIT_SECRET if call.startswith(COMMIT_SECRET.selector) else REVEAL_SECRET
        _, epoch, _ = named_call.decode(call)
        self.sent.append((named_call.name, epoch))


def clock(phase: Phase, header_height: int = 500) -> dict[bytes, bytes]:
    record = ClockRecord(EPOCH, phase, 480, 1_000, header_height, named("header"), 1_100, 0)
    return {CLOCK_KEY: encode_clock_record(record)}


def secret(commitment: bytes, state: SecretState = SecretState.COMMITTED) -> bytes:
    return encode_secret_record(SecretRecord(commitment, bytes(32), state, Fault(0), 490, 0))


@pytest.fixture
def looked(tmp_path):
    secrets = open_secrets(tmp_path, HUB, AUDITOR)

    def look(hub: PlayedHub) -> list[tuple[str, int]]:
        work = AuditorWork(hub, secrets, tmp_path, tmp_path)
        (tmp_path / "first-epoch").write_text("999")
        trio.run(work.look)
        return hub.sent

    look.secrets = secrets
    return look


def committed(secrets, *epochs: int, state: SecretState = SecretState.COMMITTED) -> dict[bytes, bytes]:
    return {secret_key(epoch, AUDITOR): secret(secrets.commitment(epoch), state) for epoch in epochs}


def test_commitments_are_made_ahead_and_once(looked):
    assert looked(PlayedHub({})) == [("commitSecret", 1)]
    assert looked(PlayedHub(clock(Phase.COMMITTING))) == [("commitSecret", 7), ("commitSecret", 8)]
    assert looked(PlayedHub(clock(Phase.ANSWERING) | committed(looked.secrets, 7))) == [("commitSecret", 8)]
    assert looked(PlayedHub(clock(Phase.REVEALING))) == [("commitSecret", 8)], "too late for this one"
    assert looked(PlayedHub(clock(Phase.CLOSED) | committed(looked.secrets, 7, 8))) == []


def test_a_secret_is_revealed_once_the_headers_block_is_proven(looked):
    standing = committed(looked.secrets, 7, 8)
    assert looked(PlayedHub(clock(Phase.REVEALING) | standing)) == [("revealSecret", 7)]
    for phase in (Phase.COMMITTING, Phase.ANSWERING, Phase.CLOSED):
        assert looked(PlayedHub(clock(phase) | standing)) == []
    shown = committed(looked.secrets, 7, 8, state=SecretState.REVEALED)
    assert looked(PlayedHub(clock(Phase.REVEALING) | shown)) == []


def test_attack_S35_a_node_that_says_the_header_is_there_learns_no_secret(looked):
    standing = committed(looked.secrets, 7, 8)
    lying = clock(Phase.REVEALING) | standing
    assert looked(PlayedHub(clock(Phase.COMMITTING) | standing, said=lying)) == []
    assert looked(PlayedHub(lying, height=500)) == [], "the header that proves it is not after the epoch's own"


def test_attack_S35_a_home_that_did_not_commit_reveals_nothing(looked):
    others = {secret_key(7, AUDITOR): secret(named("of another home"))} | committed(looked.secrets, 8)
    assert looked(PlayedHub(clock(Phase.REVEALING) | others)) == []


def test_attack_S35_secrets_are_of_one_root_and_differ_by_hub_auditor_and_epoch(tmp_path):
    first = open_secrets(tmp_path, HUB, AUDITOR)
    again = open_secrets(tmp_path, HUB, AUDITOR)
    assert first.secret(7) == again.secret(7) and first.root.hex() not in repr(first)
    secret_is_the_committed_one(HUB, Auditor(AUDITOR, first.commitment(7)), 7, first.secret(7))
    others = (open_secrets(tmp_path, hub_id("hutong-2"), AUDITOR), open_secrets(tmp_path, HUB, named("another")))
    assert len({first.secret(7), first.secret(8), *(one.secret(7) for one in others)}) == 4
    (tmp_path / ROOT_FILE).write_bytes(b"short")
    with pytest.raises(SecretsUnusable, match="restore it"):
        open_secrets(tmp_path, HUB, AUDITOR)
