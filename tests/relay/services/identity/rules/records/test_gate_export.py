"""Files of contracts' events: one form, or a refusal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.organisations.gate_acceptances import (
    GateEvent,
    GateExport,
    decode_gate_export,
    encode_gate_export,
)

EVENT = GateEvent(7, 1_700_000_000, b"\x01" * 32, 3, b"\x02" * 32, 4, 50, 49, 15)
EXPORT = GateExport(31_337, b"\x0a" * 20, b"\x0b" * 32, 1, 9, (EVENT, replace(EVENT, log_index=4)))


def test_an_export_reads_as_it_was_written():
    assert decode_gate_export(encode_gate_export(EXPORT)) == EXPORT
    whole = encode_gate_export(EXPORT)
    for old, new in ((b'"version": 1', b'"version": 2'), (b'"maxAge"', b'"maxage"'), (b'"block": 7', b'"block": -7')):
        with pytest.raises(MalformedInput):
            decode_gate_export(whole.replace(old, new, 1))


@given(
    st.binary(max_size=200)
    | st.builds(lambda at, byte: changed(at, byte), st.integers(0, 900), st.binary(min_size=1, max_size=1))
)
def test_any_bytes_are_an_export_or_refused(data):
    try:
        assert decode_gate_export(encode_gate_export(decode_gate_export(data))) == decode_gate_export(data)
    except MalformedInput:
        pass


def changed(at: int, byte: bytes) -> bytes:
    whole = encode_gate_export(EXPORT)
    return whole[: at % len(whole)] + byte + whole[at % len(whole) + 1 :]
