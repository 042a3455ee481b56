"""The record of signed heights: durable before a signature, whole after a crash, one process."""

import os

import pytest

from hutong.relay.attestor.errors import AttestorUnusable
from hutong.relay.attestor.record import FILE_NAME, MAX_KEPT, SignedHeights, SignedState

ROUTER = b"\xa1" * 20


def state(height, fork=0):
    return SignedState(1000 + height, bytes([fork]) + height.to_bytes(31, "big"))


def opened(directory, chain_id="31337", router=ROUTER, floor=0):
    return SignedHeights.open(directory, chain_id, router, floor)


def test_a_height_is_on_disk_when_it_is_on_record(tmp_path):
    record = opened(tmp_path)
    record.add(7, state(7))
    record.add(5, state(5))
    lines = (tmp_path / FILE_NAME).read_text().splitlines()
    assert lines[-2:] == [f"signed 7 1007 {state(7).block_hash.hex()}", f"signed 5 1005 {state(5).block_hash.hex()}"]
    assert record.get(7) == state(7) and record.get(6) is None
    record.close()
    again = opened(tmp_path)
    assert again.get(7) == state(7) and again.get(5) == state(5)
    again.close()


def test_no_height_gets_a_second_state(tmp_path):
    record = opened(tmp_path)
    record.add(7, state(7))
    before = (tmp_path / FILE_NAME).read_bytes()
    for second in (state(7, fork=1), state(7)):
        with pytest.raises(ValueError, match="on record"):
            record.add(7, second)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    record.close()


def test_a_new_record_begins_at_its_floor_and_an_old_one_keeps_its_own(tmp_path):
    record = opened(tmp_path, floor=100)
    with pytest.raises(ValueError, match="floor"):
        record.add(99, state(99))
    record.add(100, state(100))
    record.close()
    again = opened(tmp_path, floor=5000)
    assert again.floor == 100 and again.get(100) == state(100)
    again.close()


def test_a_torn_last_line_was_never_followed_by_a_signature(tmp_path):
    record = opened(tmp_path)
    record.add(7, state(7))
    record.add(8, state(8))
    record.close()
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    last = whole.rindex(b"signed 8")
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        again = opened(tmp_path)
        assert again.get(7) == state(7) and again.get(8) is None
        again.add(8, state(8))
        again.close()
        final = opened(tmp_path)
        assert final.get(8) == state(8)
        final.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("hutong-signed-heights-1", "hutong-signed-heights-2"),
        lambda text: text.replace("31337", "31338"),
        lambda text: text.replace("a1a1", "a1a2"),
        lambda text: text.replace("signed 7 ", "signed 07 "),
        lambda text: text.replace("signed 7 1007", "signed 7 0"),
        lambda text: text.replace("\nsigned 7", "\n\nsigned 7"),
        lambda text: "",
    ],
)
def test_a_damaged_or_foreign_record_is_refused_and_left_alone(tmp_path, change):
    record = opened(tmp_path)
    record.add(7, state(7))
    record.close()
    path = tmp_path / FILE_NAME
    path.write_text(changed := change(path.read_text()))
    with pytest.raises(AttestorUnusable, match=FILE_NAME):
        opened(tmp_path)
    assert path.read_text() == changed


def test_one_process_a_record(tmp_path):
    record = opened(tmp_path)
    with pytest.raises(AttestorUnusable, match="another attestor"):
        opened(tmp_path)
    record.close()
    opened(tmp_path).close()


def test_only_the_newest_heights_are_kept_and_older_ones_fall_under_the_floor(tmp_path, monkeypatch):
    monkeypatch.setattr("hutong.relay.attestor.record.MAX_KEPT", 4)
    record = opened(tmp_path)
    for height in range(1, 12):
        record.add(height, state(height))
    record.close()
    again = opened(tmp_path)
    assert again.floor == 8 and again.get(8) == state(8) and again.get(7) is None
    with pytest.raises(ValueError, match="floor"):
        again.add(7, state(7, fork=1))
    again.close()
    assert MAX_KEPT > 4


def test_a_full_disk_leaves_no_half_line_before_the_next(tmp_path, monkeypatch):
    record = opened(tmp_path)
    record.add(7, state(7))
    real, calls = os.write, []

    def short(descriptor, data):
        calls.append(len(data))
        if len(calls) == 1:
            return real(descriptor, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hutong.relay.attestor.record.os.write", short)
    with pytest.raises(OSError, match="No space"):
        record.add(8, state(8))
    assert record.get(8) is None
    monkeypatch.undo()
    record.add(9, state(9))
    record.close()
    again = opened(tmp_path)
    assert again.get(9) == state(9) and again.get(8) is None
    again.close()
