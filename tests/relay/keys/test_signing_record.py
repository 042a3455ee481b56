"""The record of what was signed: written first, whole after any crash, and broken by any change."""

import json
import os
from contextlib import contextmanager
from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import KeystoreConfig
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys import KeyUnavailable, create_keystore, open_source
from hutong.relay.keys.documents import DocumentKind
from hutong.relay.keys.record_lines import full_files
from hutong.relay.keys.signing_record import Signing, SigningRecord, judged_file, judged_record
from hutong.relay.keys.sources.guarded import GuardedSource
from hutong.relay.keys.sources.in_memory import KeyInMemory
from tests.relay.keys.documents import documents, transaction
from tests.relay.keys.source_conformance import SourceConformance

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)
EVERYTHING = PolicyConfig.model_validate(
    {"documents": sorted(str(kind) for kind in documents(PUBLIC)), "value_wei": 5, "cost_per_day_wei": 10**30}
)


WITHOUT_DAYS = EVERYTHING.model_copy(update={"cost_per_day_wei": None})


@contextmanager
def record_of(path, full_lines=3):
    opened = SigningRecord(path, full_lines)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def record(tmp_path):
    opened = SigningRecord(tmp_path / "signed.jsonl")
    yield opened
    opened.close()


class TestGuardedSource(SourceConformance):
    """A source under a policy that allows it is a source like any other."""

    expected_key = PUBLIC

    @pytest.fixture
    def source(self, record):
        return GuardedSource(KeyInMemory(SECRET), EVERYTHING, record)


async def test_what_could_not_be_read_again_is_neither_written_nor_signed(record):
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record)
    fitting = documents(PUBLIC)[DocumentKind.COSMOS_TRANSACTION]
    with pytest.raises(SignerUnavailable, match="cannot be written down"):
        await source.sign(replace(fitting, chain_id="c" * 65_536))
    await source.sign(fitting)
    record.close()
    assert [line.digest for line in judged_file(record.path).signed] == [fitting.digest]


async def test_each_signature_has_its_line_first(record):
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, lambda: 1_700_000_000)
    every = list(documents(PUBLIC).values())
    for document in every:
        await source.sign(document)
    record.close()
    found = judged_file(record.path)
    assert [line.number for line in found.signed] == list(range(1, len(every) + 1))
    assert [(line.digest, line.kind, line.summary) for line in found.signed] == [
        (document.digest, document.kind, document.summary) for document in every
    ]
    assert {line.key for line in found.signed} == {PUBLIC} and found.signed[0].time_s == 1_700_000_000


async def test_what_cannot_be_written_down_is_not_signed(record, monkeypatch):
    asked = []

    class Watched(KeyInMemory):
        async def sign(self, document):
            asked.append(document)
            return await super().sign(document)

    source = GuardedSource(Watched(SECRET), EVERYTHING, record)
    await source.sign(transaction(1))

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(SignerUnavailable, match="No space left"):
            await source.sign(transaction(2))
    await source.sign(transaction(3))
    assert [document.nonce for document in asked] == [1, 3]
    record.close()
    assert [line.cost.place for line in judged_file(record.path).signed] == [("31337", 1), ("31337", 3)]


async def test_what_is_spent_outlives_the_process(record):
    policy = PolicyConfig.model_validate(
        {"documents": ["evm-transaction"], "value_wei": 5, "cost_per_day_wei": 2 * transaction().most_wei}
    )
    source = GuardedSource(KeyInMemory(SECRET), policy, record, lambda: 100)
    for nonce in (1, 2):
        await source.sign(transaction(nonce))
    record.close()
    again = SigningRecord(record.path)
    for secret, is_spent in ((SECRET, True), (bytes(31) + b"\x07", False)):
        later = GuardedSource(KeyInMemory(secret), policy, again, lambda: 200)
        if is_spent:
            with pytest.raises(SigningRefused, match="cost_per_day_wei"):
                await later.sign(transaction(3))
        else:
            await later.sign(transaction(3))
    again.close()


async def test_many_tasks_together_do_not_pass_the_limit(record):
    policy = PolicyConfig.model_validate(
        {"documents": ["evm-transaction"], "value_wei": 5, "cost_per_day_wei": 3 * transaction().most_wei}
    )
    source = GuardedSource(KeyInMemory(SECRET), policy, record)
    signed = []

    async def sign(nonce: int) -> None:
        try:
            signed.append(await source.sign(transaction(nonce)))
        except SigningRefused:
            return

    async with trio.open_nursery() as nursery:
        for nonce in range(10):
            nursery.start_soon(sign, nonce)
    assert len(signed) == 3


async def test_what_tasks_sign_together_is_on_disk_at_once_and_in_order(record, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr("os.fsync", lambda descriptor: (synced.append(descriptor), real(descriptor)))
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record)
    async with trio.open_nursery() as nursery:
        for nonce in range(20):
            nursery.start_soon(source.sign, transaction(nonce))
    assert len(synced) < 5, "the first alone, and the others together"
    record.close()
    assert sorted(line.cost.place[1] for line in judged_file(record.path).signed) == list(range(20))


async def test_a_full_disk_is_told_to_all_who_wait_for_it(record, monkeypatch):
    source, told = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record), []

    def full(*_):
        raise OSError(28, "No space left on device")

    async def sign(nonce: int) -> None:
        try:
            await source.sign(transaction(nonce))
        except SignerUnavailable as error:
            told.append(error.reason)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        async with trio.open_nursery() as nursery:
            for nonce in range(8):
                nursery.start_soon(sign, nonce)
    assert len(told) == 8 and all("No space left" in one for one in told)
    await source.sign(transaction(3))
    record.close()
    assert [line.number for line in judged_file(record.path).signed] == [1]


@pytest.mark.parametrize("cut", range(1, 40, 7))
async def test_a_line_that_a_crash_cut_is_taken_away(record, cut):
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record)
    for nonce in (1, 2):
        await source.sign(transaction(nonce))
    record.close()
    whole = record.path.read_bytes()
    record.path.write_bytes(whole[:-cut])
    again = SigningRecord(record.path)
    assert [line.number for line in again.signed] == [1]
    await GuardedSource(KeyInMemory(SECRET), EVERYTHING, again).sign(transaction(2))
    again.close()
    assert len(judged_file(record.path).signed) == 2


DAMAGES = {
    "a line taken out": lambda lines: [lines[0], lines[2]],
    "two exchanged": lambda lines: [lines[1], lines[0], lines[2]],
    "a digest changed": lambda lines: [lines[0], lines[1].replace(json.loads(lines[1])["digest"], "00" * 32), lines[2]],
    "no JSON": lambda lines: ["{", *lines[1:]],
    "the first taken out": lambda lines: lines[1:],
    "a list": lambda lines: ["[]", *lines],
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_changed_record_is_refused(record, name):
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record)
    for nonce in (1, 2, 3):
        await source.sign(transaction(nonce))
    record.close()
    lines = record.path.read_text().splitlines()
    record.path.write_text("".join(f"{line}\n" for line in DAMAGES[name](lines)))
    for read in (SigningRecord, judged_file):
        with pytest.raises(KeyUnavailable):
            read(record.path)
    record.path.write_text("".join(f"{line}\n" for line in lines))
    assert len(judged_file(record.path).signed) == 3


def numbers(files) -> list[int]:
    return [line.number for file in files for line in judged_file(file).signed]


async def put_aside(path, count, full_lines=3, at_s=100, source=None):
    """The files of a record after `count` signatures, the newest last."""
    record = SigningRecord(path, full_lines)
    guarded = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, lambda: at_s)
    for nonce in range(count):
        await guarded.sign(transaction(nonce))
    record.close()
    return [*full_files(path), path]


async def test_full_files_are_put_aside_and_the_chain_goes_on(tmp_path):
    files = await put_aside(tmp_path / "signed.jsonl", 8)
    assert [file.name for file in files] == [
        "signed.jsonl.000000000001-000000000003", "signed.jsonl.000000000004-000000000006", "signed.jsonl",
    ]  # fmt: skip
    assert numbers(files) == list(range(1, 9)) and not [one for one in tmp_path.iterdir() if one not in files]
    together = judged_record([files[2], files[0], files[1]])
    assert (together.before.number, together.after.number, together.keys) == (0, 8, {PUBLIC})
    assert judged_record(files[1:]).before == judged_record(files[:1]).after
    with record_of(files[-1]) as again:
        assert [line.number for line in again.signed] == list(range(1, 9)), "all are of one day"
        assert judged_record(files[:2]).after.number == 6, "full files are judged while their record is in use"
        with pytest.raises(KeyUnavailable, match="a process signs"):
            judged_record(files)


async def test_attack_G14_a_file_that_is_missing_or_changed_breaks_the_chain(tmp_path):
    first, second, newest = await put_aside(tmp_path / "signed.jsonl", 8)
    with pytest.raises(KeyUnavailable, match="begins after line 6, and the one before it ends at line 3"):
        judged_record([first, newest])
    with pytest.raises(KeyUnavailable):
        judged_record([first, first, second, newest])
    lines = first.read_text().splitlines()
    other = SigningRecord(tmp_path / "other.jsonl", 3)
    for nonce in range(10, 13):
        other.append(Signing(PUBLIC, transaction(nonce), 100))
    other.close()
    with pytest.raises(KeyUnavailable, match="goes on after other lines"):
        judged_record([tmp_path / "other.jsonl", second, newest])
    second.write_text(second.read_text().replace('"continues":3', '"continues":2'))
    with pytest.raises(KeyUnavailable, match="does not follow"):
        judged_record([second])
    first.write_text("\n".join([lines[0], lines[2], ""]))
    with pytest.raises(KeyUnavailable, match="does not follow"):
        judged_record([first])


async def test_files_of_other_days_may_be_moved_away_and_those_of_today_not(tmp_path):
    path, away = tmp_path / "signed.jsonl", tmp_path / "away"
    away.mkdir()
    for day in (1, 2):
        *full, _ = await put_aside(path, 5, at_s=day * 86_400 + 7)
    assert [one.name[-12:] for one in full] == ["000000000003", "000000000006", "000000000009"]
    for file, is_needed in ((full[0], False), (full[1], True), (full[2], True)):
        file.rename(away / file.name)
        with record_of(path) as record:
            today, tomorrow = (lambda: 2 * 86_400 + 9), (lambda: 3 * 86_400)
            assert (record.missing is not None) is is_needed
            if is_needed:
                with pytest.raises(KeyUnavailable, match="some are of today"):
                    GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, today)
                await GuardedSource(KeyInMemory(SECRET), WITHOUT_DAYS, record, today).sign(
                    documents(PUBLIC)[DocumentKind.JWS]
                )
                GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, tomorrow)
            else:
                assert {line.number for line in record.signed} == set(range(6, 11))
                GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, today)
    assert judged_record([*away.iterdir(), path]).after.number == 12


async def test_what_is_spent_is_known_from_full_files(tmp_path):
    policy = PolicyConfig.model_validate(
        {"documents": ["evm-transaction"], "value_wei": 5, "cost_per_day_wei": 7 * transaction().most_wei}
    )
    await put_aside(tmp_path / "signed.jsonl", 7)
    with record_of(tmp_path / "signed.jsonl") as record:
        source = GuardedSource(KeyInMemory(SECRET), policy, record, lambda: 200)
        with pytest.raises(SigningRefused, match="cost_per_day_wei"):
            await source.sign(transaction(7))
        await source.sign(transaction(6)), "its place is spent already"


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(
    "step", ["pathlib.Path.hardlink_to", "pathlib.Path.replace", "hutong.relay.keys.signing_record.sync_folder"]
)
async def test_what_breaks_while_a_file_is_put_aside_loses_nothing(tmp_path, monkeypatch, step, ends):
    path = tmp_path / "signed.jsonl"
    await put_aside(path, 3)
    record = SigningRecord(path, 3)
    source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, lambda: 100)

    def broken(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(step, broken)
        with pytest.raises(SignerUnavailable, match="Input/output"):
            await source.sign(transaction(3))
        with pytest.raises(KeyUnavailable, match="something else signs"):
            SigningRecord(path)
    if ends:
        record.close()  # as a crash ends it
        record = SigningRecord(path, 3)
    await GuardedSource(KeyInMemory(SECRET), EVERYTHING, record, lambda: 100).sign(transaction(4))
    record.close()
    assert judged_record([*full_files(path), path]).after.number == 4
    with record_of(path, 3) as again:
        source = GuardedSource(KeyInMemory(SECRET), EVERYTHING, again, lambda: 100)
        for nonce in range(5, 9):
            await source.sign(transaction(nonce))
    assert judged_record([*full_files(path), path]).after.number == 8


def test_two_processes_have_not_one_record(record):
    for read in (SigningRecord, judged_file):
        with pytest.raises(KeyUnavailable):
            read(record.path)
    record.close()
    SigningRecord(record.path).close()


def test_a_policy_stands_in_the_table_of_its_key(tmp_path):
    keystore = tmp_path / "key.json"
    create_keystore(keystore, SECRET, b"p", iterations=2)
    table = {
        "keystore": keystore,
        "password_env": "P",
        "policy": {"documents": ["evm-transaction"], "cost_per_day_wei": 1},
    }
    with pytest.raises(KeyUnavailable, match="policy.record"):
        open_source(KeystoreConfig.model_validate(table), {"P": "p"})
    table["policy"] |= {"record": tmp_path / "signed.jsonl"}
    source = open_source(KeystoreConfig.model_validate(table), {"P": "p"})
    assert isinstance(source, GuardedSource) and (tmp_path / "signed.jsonl").exists()
    with pytest.raises(KeyUnavailable, match="something else signs"):
        open_source(KeystoreConfig.model_validate(table), {"P": "p"})
