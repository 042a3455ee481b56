"""`processes.json`, and whether a number still means the process that it was written for."""

import json
import os
import signal
import sys

import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.base.trio_processes import open_child
from hutong.relay.city.errors import CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.city.keeping import Keeper
from hutong.relay.city.process_identity import ProcessIdentity
from hutong.relay.city.record import MAX_BYTES, CityProcess, ProcessRecord, decode_record, read_record, write_record
from hutong.relay.city.stopping import stop_city
from hutong.relay.local.chain import until
from hutong.relay.local.processes import Daemon

STAYS = [sys.executable, "-c", "import signal; signal.pause()"]

identities = st.builds(ProcessIdentity, st.integers(2, 2**31 - 1), st.text(min_size=1, max_size=64))
texts = st.text(max_size=64)
processes = st.builds(
    CityProcess, st.text(min_size=1, max_size=64), texts, texts, st.none() | identities, st.tuples(identities)
)
records = st.builds(ProcessRecord, identities, st.lists(processes, max_size=4).map(tuple))


@pytest.mark.long
@given(record=records)
def test_what_is_written_is_read(tmp_path_factory, record):
    path = tmp_path_factory.getbasetemp() / "processes.json"
    write_record(path, record)
    assert read_record(path) == record


@given(data=st.binary(max_size=200) | st.from_regex(rb'\{"format": "hutong-city-processes", .{0,60}', fullmatch=True))
def test_other_bytes_are_refused_by_one_error(data):
    with pytest.raises(MalformedInput):
        decode_record(data)


def test_a_record_has_a_bound(tmp_path):
    path = tmp_path / "processes.json"
    path.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(CityUnusable, match=r"processes\.json"):
        read_record(path)


def test_a_field_that_nobody_reads_is_refused(tmp_path):
    path = tmp_path / "processes.json"
    write_record(path, ProcessRecord(ProcessIdentity(2, "1")))
    document = json.loads(path.read_text()) | {"more": 1}
    with pytest.raises(MalformedInput, match="more"):
        decode_record(json.dumps(document).encode())


def test_a_number_with_another_beginning_is_another_process():
    own = ProcessIdentity.of(os.getpid())
    assert own is not None and own.runs
    assert not ProcessIdentity(own.pid, f"{own.started}0").runs


def test_another_process_under_an_old_number_gets_no_signal():
    own = ProcessIdentity.of(os.getpid())
    ProcessIdentity(own.pid, f"{own.started}0").signal(signal.SIGKILL)  # this test goes on


async def test_what_a_killed_keeper_left_is_ended(tmp_path):
    """The keeper is gone; a process of its list, a part of that, and an operator that a killed test left still run."""
    home = CityHome(tmp_path)
    children = [await open_child(STAYS) for _ in range(3)]
    try:
        left, part, stored = (ProcessIdentity.of(child.pid) for child in children)
        gone = ProcessIdentity(left.pid, f"{left.started}0")
        process = CityProcess("relay", "carries", str(tmp_path / "relay.log"), left, (part,))
        write_record(home.processes_file, ProcessRecord(gone, (process,)))
        operator = CityProcess("operator-0", "stores", str(tmp_path / "operator-0.log"), stored)
        write_record(home.storage_processes_file, ProcessRecord(gone, (operator,)))
        said = []
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(child.wait)
            await stop_city(home, said.append)
        assert [child.returncode for child in children] == [-signal.SIGTERM] * 3
        assert said == ["3 processes outlived their keeper; ending them"]
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()


async def test_there_is_no_city_to_end(tmp_path):
    with pytest.raises(CityUnusable, match="there is no city in"):
        await stop_city(CityHome(tmp_path), print)


async def test_a_part_of_a_killed_process_stays_on_the_record_while_it_runs(tmp_path):
    """The relay is killed, and its queue goes on until the next relay ends it: `down` must know of it meanwhile."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import signal; signal.pause()'])"
    request = httpx.Request("GET", "http://127.0.0.1:1/")
    daemon = Daemon("relay", ["-c", code], tmp_path / "relay.log", request, program=(sys.executable,))
    part = None
    try:
        async with trio.open_nursery() as nursery:
            keeper = Keeper(nursery, tmp_path / "processes.json", print)
            keeper.note(daemon, "carries")
            nursery.start_soon(daemon.run)
            await until(lambda: bool(keeper.record().processes[0].parts), 0.05)
            ((part,),) = (process.parts for process in keeper.record().processes)
            os.kill(daemon.pid, signal.SIGSTOP)  # so that its end cannot end the part
            nursery.cancel_scope.cancel()
            daemon.kill()
        (process,) = keeper.record().processes
        assert process.identity is None and process.parts == (part,)
        part.signal(signal.SIGKILL)
        await until(lambda: not part.runs, 0.05)
        assert keeper.record().processes[0].parts == ()
    finally:
        if part is not None:
            part.signal(signal.SIGKILL)
