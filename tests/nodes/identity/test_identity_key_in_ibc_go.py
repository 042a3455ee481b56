"""The record of an issuer's key, shown to ibc-go's own 07-tendermint client in Go: no code of ours stands between them."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from tests.adapters.conformance.reading.suite import each_byte
from tests.oracle.case import Case
from tests.oracle.judges import build_stock, stock_verdicts
from tests.relay.audit.identity.accepted_credentials import ISSUER, SIGNING, World, p256

pytestmark = pytest.mark.nodes
KEY = keys.key_key(ISSUER, thumbprint(p256(SIGNING)))
NOBODY = keys.key_key(ISSUER, bytes(32))


def test_attack_N163_a_keys_record_is_believed_by_stock_code_and_no_changed_byte_of_it():
    hub = World().hub
    bundle = hub.bundle(KEY, NOBODY)
    report = RecordAuditor(hub.checkpoint(), hub.now_ns).audit(encode_record_bundle(bundle))
    assert report.state is not None and report.state.store is not None
    store, shown = report.state.store, {one.what.key: one for one in bundle.statements}
    record, nothing = shown[KEY], shown[NOBODY]
    now_ns = (hub.now_ns // NANOSECONDS_PER_SECOND + 1) * NANOSECONDS_PER_SECOND
    states = ((bundle.height, store.consensus_state),)
    honest = Case("key", "as it is", "membership", now_ns, store.client_state, states, record.proof, bundle.height,
                  merkle_path((b"",), KEY), record.value, "valid")  # fmt: skip
    absent = replace(
        honest, name="absent", kind="non_membership", message=nothing.proof, path=merkle_path((b"",), NOBODY), value=b""
    )
    forged = [replace(honest, value=value) for value in each_byte(record.value)]
    forged += [replace(honest, message=proof) for proof in each_byte(record.proof)]
    forged += [replace(honest, path=merkle_path((b"",), key)) for key in each_byte(KEY)]
    forged.append(replace(absent, path=honest.path))
    cases = [honest, absent, *(replace(one, name=f"forged {n}", expected="invalid") for n, one in enumerate(forged))]
    build_stock()
    for case, verdict in zip(cases, stock_verdicts(cases), strict=True):
        assert verdict["verdict"] == case.expected, (case.id, verdict)
    print(f"ibc-go: the key's record and an absence hold, {len(forged)} forged ones do not")
