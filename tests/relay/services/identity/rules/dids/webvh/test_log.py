"""A whole log: what continues it, and each rule that an entry may break, by logs whose hashes and signatures are rebuilt."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.relay.services.identity.rules.dids.webvh.anchor import LogAnchor, log_reaches_its_anchor
from hutong.relay.services.identity.rules.dids.webvh.entry import MAX_LOG_BYTES
from hutong.relay.services.identity.rules.dids.webvh.log import verify_log
from tests.relay.services.identity.rules.dids.webvh.log_forgeries import dated, moved, witness
from tests.relay.services.identity.rules.dids.webvh.log_maker import NOW_S, LogMaker, key_hash, multikey, sign


def judged(log, witness_file=None, did=None, now_s=NOW_S):
    return verify_log(did or log.did, log.bytes, witness_file, now_s)


def refused(rule, log, witness_file=None, did=None, now_s=NOW_S):
    with pytest.raises(PredicateFailed) as refusal:
        judged(log, witness_file, did, now_s)
    assert refusal.value.predicate == rule, refusal.value


def malformed(field, log, witness_file=None):
    with pytest.raises(MalformedInput) as refusal:
        judged(log, witness_file)
    assert refusal.value.field == field, refusal.value


def test_versions_follow_each_other():
    log = LogMaker(ttl=60).update().update(updateKeys=[multikey(2)]).update(signer=2, deactivated=True, updateKeys=[])
    found = judged(log)
    assert [version.number for version in found.versions] == [1, 2, 3, 4]
    assert found.latest.parameters.deactivated and found.latest.parameters.ttl_s == 60
    assert found.versions[0].document == log.entries[0]["state"]


def test_attack_N31_an_entry_that_was_changed_left_out_or_moved():
    honest = LogMaker().update().update()
    assert len(judged(honest).versions) == 3
    for entries in ([0, 2], [0, 2, 1], [0, 1, 1, 2], [1, 2]):
        other = LogMaker()
        other.entries = [honest.entries[index] for index in entries]
        with pytest.raises(PredicateFailed):
            judged(other)
    changed = LogMaker().update().update()
    changed.entries[1]["state"]["alsoKnownAs"] = ["https://attacker.example"]
    refused("proof_verifies", changed)
    entry = {name: value for name, value in changed.entries[1].items() if name != "proof"}
    changed.entries[1]["proof"] = [sign(entry, 1)]
    refused("version_id_continues", changed)


def test_attack_N31_a_first_entry_that_is_not_what_the_scid_hashes():
    refused("scid_is_of_the_did", LogMaker(portable=True), did=LogMaker().did)
    forged = LogMaker()
    scid, other = forged.scid, LogMaker(portable=True)
    forged.entries = json.loads(json.dumps(other.entries).replace(other.scid, scid))
    entry = {name: value for name, value in forged.entries[0].items() if name != "proof"}
    forged.entries = []
    forged.append(entry, 1, lambda _: None)
    refused("scid_is_the_hash_of_the_first_entry", forged)
    assert judged(other).latest.parameters.portable


def test_attack_N31_a_log_that_ends_before_its_anchor_or_goes_another_way():
    log = LogMaker().update().update()
    lines = log.bytes.splitlines()
    for version in (1, 2, 3):
        log_reaches_its_anchor(log.bytes, LogAnchor(version, sha256(lines[version - 1])))
    rolled_back = log.bytes.removesuffix(lines[2] + b"\n")
    assert verify_log(log.did, rolled_back, None, NOW_S)
    for bytes_of_log, version, line in ((rolled_back, 3, 2), (log.bytes, 2, 2), (log.bytes, 1, 1)):
        with pytest.raises(PredicateFailed, match="log_reaches_its_anchor"):
            log_reaches_its_anchor(bytes_of_log, LogAnchor(version, sha256(lines[line])))
    for version, head in ((0, bytes(32)), (1, bytes(31))):
        with pytest.raises(MalformedInput):
            LogAnchor(version, head)


def test_attack_N32_an_entry_by_a_key_that_may_not_update():
    refused("proof_key_is_authorised", LogMaker().update(signer=2))
    refused("proof_key_is_authorised", LogMaker().update(signer=2, updateKeys=[multikey(2)]))
    refused("proof_key_is_authorised", LogMaker().update(updateKeys=[multikey(2)]).update(signer=1))
    assert judged(LogMaker().update(updateKeys=[multikey(2)]).update(signer=2))
    both = LogMaker(updateKeys=[multikey(1), multikey(2)]).update()
    entry = {name: value for name, value in both.entries[1].items() if name != "proof"}
    both.entries[1]["proof"] += [sign(entry, 2)]
    assert judged(both)
    both.entries[1]["proof"] += [sign(entry, 3)]
    refused("proof_key_is_authorised", both)


def test_attack_N32_pre_rotation_cannot_be_evaded():
    def committed():
        return LogMaker(nextKeyHashes=[key_hash(2), key_hash(3)])

    honest = committed().update(signer=2, updateKeys=[multikey(2)], nextKeyHashes=[])
    assert judged(honest.update(signer=2))
    rule = "keys_were_committed_to"
    refused(rule, committed().update(signer=1))
    refused(rule, committed().update(signer=1, updateKeys=[multikey(1)], nextKeyHashes=[]))
    refused(rule, committed().update(signer=2, updateKeys=[multikey(2)]))
    refused(rule, committed().update(signer=2, updateKeys=[multikey(2), multikey(4)], nextKeyHashes=[]))
    refused("proof_key_is_authorised", committed().update(signer=1, updateKeys=[multikey(2)], nextKeyHashes=[]))
    refused("proof_key_is_authorised", committed().update(signer=1, updateKeys=[], nextKeyHashes=[]))


def test_attack_N33_a_proof_of_another_suite_purpose_or_key():
    assert judged(LogMaker().update())
    bad = [
        ("cryptosuite", "ecdsa-jcs-2019", "suite_is_the_permitted_one"),
        ("proofPurpose", "authentication", "purpose_is_assertion"),
        ("verificationMethod", f"did:key:{multikey(2)}#{multikey(1)}", "proof_key"),
        ("verificationMethod", f"did:key:{multikey(1)}#{multikey(2)}", "proof_key"),
    ]
    for member, value, rule in bad:
        refused(rule, LogMaker().update(proof=lambda options, one={member: value}: options.update(one)))


def test_attack_N33_a_proof_says_nothing_that_is_not_judged():
    malformed(
        "did.jsonl[1].proof[0].expires", LogMaker().update(proof=lambda o: o.update(expires="2020-01-01T00:00:00Z"))
    )
    log = LogMaker()
    log.entries[0]["proof"] = log.entries[0]["proof"][0]
    malformed("did.jsonl[0].proof", log)
    log.entries[0]["proof"] = []
    malformed("did.jsonl[0].proof", log)


def test_witnesses_approve_all_entries_before():
    log = LogMaker(witness=witness(2, 10, 11, 12)).update().update(witness=witness(1, 13)).update(witness={}).update()
    assert judged(log, log.witnessed((10, 3), (12, 4), (13, 4)))
    late = LogMaker().update(witness=witness(1, 10)).update()
    assert judged(late, late.witnessed((10, 3)))
    refused("enough_witnesses_approved", late, late.witnessed((10, 2)))


def test_attack_N34_the_threshold_of_witnesses_cannot_be_evaded():
    rule = "enough_witnesses_approved"
    log = LogMaker(witness=witness(2, 10, 11)).update()
    assert judged(log, log.witnessed((10, 2), (11, 2)))
    refused(rule, log, None)
    refused(rule, log, log.witnessed((10, 2), (10, 2)))
    refused(rule, log, log.witnessed((10, 2), (12, 2)))
    refused(rule, log, log.witnessed((10, 2), (11, 1)))
    other = LogMaker(place="other.example", witness=witness(2, 10, 11)).update()
    refused(rule, log, other.witnessed((10, 2), (11, 2)))
    by_another = json.loads(log.witnessed((10, 2), (11, 2)))
    by_another[1]["proof"][0]["proofValue"] = by_another[0]["proof"][0]["proofValue"]
    refused(rule, log, json.dumps(by_another).encode())
    turned_off = LogMaker(witness=witness(1, 10)).update(witness={})
    refused(rule, turned_off, turned_off.witnessed((10, 1)))
    replaced = LogMaker(witness=witness(1, 10)).update(witness=witness(1, 13))
    refused(rule, replaced, replaced.witnessed((13, 2)))


def test_attack_N34_a_witness_rule_that_is_none_turns_nothing_off():
    bad = [
        witness(0, 10),
        witness(2, 10),
        witness(1, 10, 10),
        witness(1),
        {"threshold": 1, "witnesses": [{"id": f"did:key:{multikey(10)}"}, {"id": multikey(10)}]},
        {"threshold": True, "witnesses": [{"id": f"did:key:{multikey(10)}"}]},
        {"witnesses": [{"id": f"did:key:{multikey(10)}"}]},
        {"threshold": 1, "witnesses": [{"id": "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}]},
        {"threshold": 1, "witnesses": [{"id": "did:web:witness.example"}]},
    ]
    for rule in bad:
        log = LogMaker(witness=rule)
        with pytest.raises(MalformedInput, match=r"did.jsonl\[0\].parameters.witness"):
            judged(log, log.witnessed((10, 1)))


def test_attack_N35_nothing_follows_a_deactivation():
    assert judged(LogMaker().update(deactivated=True)).latest.parameters.deactivated
    refused("later_entry_may_state", LogMaker().update(deactivated=True).update(deactivated=False))


def test_attack_N35_only_a_portable_did_moves_and_it_names_its_old_place():
    rule = "document_is_of_the_did"
    log = LogMaker(portable=True).update(change=moved("new.example"))
    assert judged(log).latest.document_id.endswith(":new.example")
    log.place = "new.example"
    assert judged(log)
    log.place = "third.example"
    refused("some_version_carries_the_did", log)
    refused(rule, LogMaker().update(change=moved("new.example")))
    refused(rule, LogMaker(portable=True).update(change=moved("new.example", keeps=False)))
    refused(rule, LogMaker(portable=True).update(portable=False).update(change=moved("new.example")))
    refused(rule, LogMaker(portable=True).update(change=moved("new.example"), portable=False))
    refused("later_entry_may_state", LogMaker().update(portable=True))

    def other_scid(entry):
        entry["state"]["id"] = f"did:webvh:{LogMaker(ttl=1).scid}:example.com"
        entry["state"]["alsoKnownAs"] = [f"did:webvh:{log.scid}:example.com"]

    refused(rule, LogMaker(portable=True).update(change=other_scid))


def test_attack_N36_versions_are_dated_in_order_and_not_ahead():
    rule = "version_time_is_in_order"
    assert judged(LogMaker().update(change=dated("2020-01-01T00:00:00.000000001Z")))
    refused(rule, LogMaker().update(change=dated("2020-01-01T00:00:00Z")))
    refused(rule, LogMaker().update(change=dated("2019-12-31T23:59:59+00:00")))
    created_s = 1_577_836_800
    assert judged(LogMaker(), now_s=created_s - 300)
    refused(rule, LogMaker(), now_s=created_s - 301)
    refused(rule, LogMaker().update(change=dated("9999-01-01T00:00:00Z")).update(change=dated("9999-01-02T00:00:00Z")))
    for text in ("2020-01-02", "2020-01-02T00:00:00", "2020-01-02T01:00:00+01:00", "2020-02-30T00:00:00Z"):
        malformed("did.jsonl[1].versionTime", LogMaker().update(change=dated(text)))


def test_parameters_are_of_version_1_0_alone():
    bad = [
        ({"method": "did:webvh:99.0"}, "method"),
        ({"method": "did:webvh:1.0-rc1"}, "method"),
        ({"method": None}, "method"),
        ({"updateKeys": ["zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"]}, "updateKeys[0]"),
        ({"updateKeys": [multikey(1), multikey(1)]}, "updateKeys"),
        ({"portable": "true"}, "portable"),
        ({"deactivated": None}, "deactivated"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": 2**31 + 1}, "ttl"),
        ({"prerotation": True}, "prerotation"),
        *(({name: None}, name) for name in ("updateKeys", "nextKeyHashes", "witness", "watchers", "ttl")),
    ]
    for parameters, field in bad:
        malformed(f"did.jsonl[0].parameters.{field}", LogMaker(**parameters))


def test_the_first_entry_states_what_it_must():
    for name in ("method", "scid", "updateKeys"):
        refused(
            "first_entry_states_what_it_must", LogMaker(change=lambda entry, name=name: entry["parameters"].pop(name))
        )


def test_the_scid_is_stated_once():
    log = LogMaker()
    refused("later_entry_may_state", log.update(scid=log.scid))


def test_bytes_that_are_no_log_are_refused():
    for data in (b"", b"\n", b"{}\n", b"[]\n", b"\n\n", b'{"a":1,"a":2}\n', b"\xff\n", b" " * (MAX_LOG_BYTES + 1)):
        with pytest.raises(MalformedInput):
            verify_log(LogMaker().did, data, None, NOW_S)


@cache
def honest():
    """A log with its witnesses' file, and its versions."""
    log = LogMaker(portable=True, witness=witness(1, 10)).update(updateKeys=[multikey(2)]).update(signer=2)
    witness_file = log.witnessed((10, 3))
    return log, witness_file, judged(log, witness_file).versions


@given(st.data())
@settings(max_examples=60)
def test_a_changed_log_is_refused_or_says_the_same(data):
    """No crash, and no version that its controller did not write: at most the newest are missing, where nobody can know."""
    made, witness_file, versions = honest()
    log = made.bytes
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(log) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "put", "line", "witness"]))
        if kind == "flip":
            log = log[:at] + bytes([log[at] ^ data.draw(st.integers(1, 255))]) + log[at + 1 :]
        elif kind == "cut":
            log = log[:at] + log[at + data.draw(st.integers(1, 40)) :] or b"x"
        elif kind == "put":
            log = log[:at] + data.draw(st.binary(min_size=1, max_size=8) | st.just(b" ")) + log[at:]
        elif kind == "line":
            lines = log.splitlines(keepends=True)
            log = b"".join(data.draw(st.permutations(lines))[: data.draw(st.integers(1, len(lines)))])
        else:
            place = at % len(witness_file)
            witness_file = witness_file[:place] + data.draw(st.binary(max_size=4)) + witness_file[place + 2 :]
    try:
        found = verify_log(made.did, log, witness_file, NOW_S)
    except VerificationError:
        return
    assert found.versions == versions[: len(found.versions)]
