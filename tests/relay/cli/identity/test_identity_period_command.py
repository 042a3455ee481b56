"""`hutong audit identity-period`: an issuer's period recounted between two states of a hub; whatever is hidden is missed."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.cli.audit.command import app
from hutong.relay.services.identity.rules.jose import write_json
from hutong.relay.services.identity.rules.organisations.gate_acceptances import (
    GateEvent,
    GateExport,
    encode_gate_export,
)
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyEnd, KeyPurpose, KeyState
from hutong.relay.services.identity.rules.records.log_record import (
    Issuance,
    LogEntry,
    LogRecord,
    encode_log_entry,
    encode_log_record,
)
from hutong.relay.services.identity.rules.status import Statuses, status_list_claim
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, list_root
from tests.relay.audit.identity.accepted_credentials import (
    ISSUER,
    MOMENT,
    SIGNING,
    STOLEN,
    World,
    key_record,
    later,
    list_record,
    p256,
)
from tests.relay.audit.records.shown_records import Hub
from tests.relay.services.identity.rules.actors import token

DID = f"did:hutong:hutong:{ISSUER.hex()}"
SHAPE = TreeShape(1, 1_024)
PRINT, NEXT = thumbprint(p256(SIGNING)), thumbprint(p256(STOLEN))
SEALS = [index.to_bytes(31, "big") + b"\x5e" for index in (5, 700, 9, 300)]
ENTRIES = [
    encode_log_entry(LogEntry(0, index, Issuance(PRINT, index.to_bytes(32, "big")), Issuance(PRINT, seal)))
    for index, seal in zip((5, 700, 9, 300), SEALS, strict=True)
]
LATE = [
    encode_log_entry(LogEntry(0, index, seal=Issuance(name, bytes([index]) * 32)))
    for index, name in ((11, PRINT), (12, NEXT), (13, b"\x99" * 32))
]
"""Of a second period: under the key that ended in the first one, under the next one, under nobody's."""
LEAVES = [leaf_hash(entry) for entry in (*ENTRIES, *LATE)]


def bits(*indices: int) -> bytes:
    data = bytearray(SHAPE.size // 8)
    for index in indices:
        data[index // 8] |= 1 << index % 8
    return bytes(data)


BEFORE, AFTER = bits(3), bits(3, 300, 1_023)


def world(statuses: bytes, logged: int, **changes) -> dict[bytes, bytes]:
    """Records of the issuer with one list of these statuses and so many log entries."""
    changed = MOMENT if statuses == BEFORE else replace(MOMENT, height=6)
    record = replace(list_record(), shape=SHAPE, root=list_root(SHAPE, statuses), changed=changed)
    made = World(lists={0: record}, **changes).records
    log = LogRecord(root_of_leaves(LEAVES[:logged]), logged, MOMENT)
    return {**made, keys.log_key(ISSUER): encode_log_record(log)}


def rotated() -> dict:
    end = KeyEnd(KeyState.RETIRED, later(-10), 4, root_of_leaves(LEAVES[:4]))
    first = World().keys
    return {
        **first,
        PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, end),
        NEXT: key_record(p256(STOLEN), KeyPurpose.SIGNING),
    }


@pytest.fixture(scope="module")
def period(tmp_path_factory):
    """Both states on one hub, as files; runs the command with what was kept."""
    folder = tmp_path_factory.mktemp("period")
    hub = Hub(world(BEFORE, 1))
    places = [one for one in hub.records if ISSUER in one and not one.startswith(keys.ACCREDITATION_PREFIX)]
    (folder / "before.record.json").write_bytes(encode_record_bundle(hub.bundle(*places)))
    later_records = world(AFTER, 4, keys=rotated(), epoch=8)
    for key, value in later_records.items():
        hub.chain.put(key, value)
    hub.chain.advance(2)
    shown = [one for one in later_records if ISSUER in one and not one.startswith(keys.ACCREDITATION_PREFIX)]
    (folder / "after.record.json").write_bytes(encode_record_bundle(hub.bundle(*shown)))
    hub.chain.put(keys.log_key(ISSUER), world(AFTER, 7)[keys.log_key(ISSUER)])
    hub.chain.advance(2)
    (folder / "last.record.json").write_bytes(encode_record_bundle(hub.bundle(*shown)))
    fewer = [one for one in shown if one != keys.key_key(ISSUER, NEXT)]
    (folder / "hidden-key.record.json").write_bytes(encode_record_bundle(hub.bundle(*fewer)))
    (folder / "hub.checkpoint.json").write_bytes(encode_checkpoint(hub.checkpoint()))
    for name, statuses in (
        ("before", BEFORE),
        ("after", AFTER),
        ("hidden", bits(3, 300)),
        ("invented", bits(3, 4, 300, 1_023)),
    ):
        claims = {
            "sub": "https://s.example/0",
            "iat": 1,
            "ttl": 15,
            "status_list": status_list_claim(Statuses(1, statuses)),
        }
        (folder / f"{name}.jwt").write_text(token({"alg": "ES256", "typ": "statuslist+jwt"}, write_json(claims)))

    def run(
        *,
        entries=ENTRIES[1:],
        leaves=LEAVES[:1],
        lists=("0=before,after",),
        after="after",
        before="before",
        accepted=None,
        named=(),
    ):
        kept = {"leavesBefore": [leaf.hex() for leaf in leaves], "entries": [entry.hex() for entry in entries]}
        if named:
            kept["entriesBefore"] = [{"position": at, "entry": entry.hex()} for at, entry in named]
        (folder / "log.json").write_text(json.dumps(kept))
        named = []
        for text in lists:
            number, _, pair = text.partition("=")
            first, _, last = pair.partition(",")
            named += ["--list", f"{number}={folder / f'{first}.jwt' if first else ''},{folder / f'{last}.jwt'}"]
        words = ["identity-period", DID, "--before", folder / f"{before}.record.json", "--after",
                 folder / f"{after}.record.json", "--log", folder / "log.json", *named,
                 *exported(accepted), "--checkpoint", folder / "hub.checkpoint.json", "--now", "1700000020", "--json"]  # fmt: skip
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout)

    def exported(export) -> list:
        if export is None:
            return []
        file = folder / "gate.json"
        file.write_bytes(export if isinstance(export, bytes) else encode_gate_export(export))
        return ["--acceptances", file]

    return run


def test_a_period_is_recounted_from_what_was_kept(period):
    code, found = period()
    assert (code, found["valid"], found["failure"]) == (0, True, None)
    assert found["issued"] == [{"list": 0, "index": index} for index in (700, 9, 300)]
    assert found["revoked"] == {"0": [300, 1_023]}
    assert (found["keys_added"], found["keys_ended"], found["epochs"]) == ([NEXT.hex()], [PRINT.hex()], 3)
    assert (found["from"], found["to"]) == ("1-4", "1-6")


def test_attack_N177_an_issuance_a_revocation_or_a_rotation_is_hidden_or_invented(period):
    def refused(**kept) -> str:
        code, found = period(**kept)
        assert code == 1 and not found["valid"]
        return found["failure"]["name"]

    other = encode_log_entry(LogEntry(0, 700, Issuance(PRINT, bytes([7]) * 32)))
    assert refused(entries=ENTRIES[2:]) == "log_is_kept_whole"
    assert refused(entries=[*ENTRIES[1:], other]) == "log_is_kept_whole"
    assert refused(entries=[other, ENTRIES[2]]) == "log_is_kept_whole"
    assert refused(entries=[ENTRIES[2], ENTRIES[1]]) == "log_is_kept_whole"
    assert refused(leaves=[], entries=ENTRIES) == "log_is_kept_whole"
    for lists in ("0=before,hidden", "0=before,invented", "0=after,after", "0=,after"):
        assert refused(lists=(lists,)) == "statuses_are_kept_whole"
    assert refused(lists=()) == refused(lists=("0=before,after", "1=,after")) == "every_list_is_kept"
    assert refused(after="hidden-key") == "every_key_is_shown"
    assert refused(before="after", after="before") == "states_are_in_order"
    assert period()[0] == 0


GATE = GateExport(31_337, b"\x6a" * 20, ISSUER, 1, 900, ())


def accepted(seal: bytes, list_height: int = 5, block: int = 7, **more) -> GateEvent:
    said = {"time_s": 1_700_000_000, "transaction": b"\x77" * 32, "log_index": 0, "list_number": 0, "max_age_s": 15}
    return GateEvent(block=block, seal=seal, list_height=list_height, standing_height=list_height, **{**said, **more})


def test_acceptances_of_a_contract_are_counted_and_held_against_log_and_lists(period):
    events = (accepted(SEALS[1]), accepted(SEALS[2], block=8), accepted(SEALS[2], 6, block=8, log_index=1))
    code, found = period(accepted=replace(GATE, events=events))
    assert (code, found["failure"]) == (0, None)
    (counted,) = found["accepted"]
    assert (counted["gate"], counted["valid"], counted["undecided"], counted["outside"]) == ("0x" + "6a" * 20, 3, [], 0)
    before = (accepted(SEALS[0]), accepted(SEALS[1], 3, block=9), accepted(b"\x01" * 32, 99, block=10))
    code, found = period(accepted=replace(GATE, events=before), named=[(0, ENTRIES[0])])
    assert (code, found["accepted"][0]["valid"], found["accepted"][0]["outside"]) == (0, 1, 2)
    assert period(accepted=GATE)[1]["accepted"][0]["valid"] == 0


def test_an_acceptance_of_what_was_revoked_in_the_period_is_refused_or_named(period):
    """Index 300 is revoked in the period: by the hub's last change of the list it is refused, before that nobody can say."""
    code, found = period(accepted=replace(GATE, events=(accepted(SEALS[3]),)))
    assert (code, found["failure"]) == (0, None)
    assert [one["seal"] for one in found["accepted"][0]["undecided"]] == [SEALS[3].hex()]
    code, found = period(accepted=replace(GATE, events=(accepted(SEALS[3], 6),)))
    assert (code, found["failure"]["name"]) == (1, "accepted_seal_was_valid")


def second(period, at: int):
    """The next period, in which a contract accepted one of LATE."""
    events = (accepted(bytes([11 + at]) * 32, 8),)
    return period(
        entries=LATE, leaves=LEAVES[:4], lists=("0=after,after",), before="after", after="last",
        accepted=replace(GATE, events=events),
    )  # fmt: skip


def test_attack_N213_acceptances_that_log_or_lists_deny_are_found(period):
    def refused(*events, **more) -> str:
        code, found = period(accepted=replace(GATE, events=events), **more)
        assert code == 1 and not found["valid"]
        return found["failure"]["name"]

    assert refused(accepted(b"\x01" * 32)) == "accepted_seal_was_logged"
    assert refused(accepted(SEALS[0])) == "accepted_seal_was_logged"
    assert refused(accepted(SEALS[1], list_number=1)) == "accepted_seal_was_logged"
    assert refused(accepted(SEALS[0]), named=[(0, ENTRIES[1])]) == "entry_before_is_of_log"
    assert refused(accepted(SEALS[1], time_s=1_700_009_999)) == "accepted_in_time"
    assert refused(accepted(SEALS[1]), accepted(SEALS[1])) == "events_are_distinct"
    assert refused(accepted(SEALS[2], block=8), accepted(SEALS[1])) == "events_are_distinct"
    assert refused(accepted(SEALS[1], block=901)) == "events_are_distinct"
    assert second(period, 0)[1]["failure"]["name"] == second(period, 2)[1]["failure"]["name"] == "sealing_key_counted"
    assert second(period, 1)[1]["accepted"][0]["valid"] == 1
    other = replace(GATE, issuer=b"\x01" * 32, events=(accepted(SEALS[1]),))
    code, found = period(accepted=other)
    assert (code, found["failure"]["name"]) == (1, "export_is_of_issuer")
    assert period(accepted=replace(GATE, events=(accepted(SEALS[1]),)))[0] == 0
