"""How a demo ends that does not end by itself: one sentence and an exit code, whatever broke on the way."""

import io
import os
import signal

import pytest
import trio
from rich.console import Console

from hutong.relay.cli.operator.demo import EXIT_CODES
from hutong.relay.demo.running import run_to_its_end
from hutong.relay.local.processes import DemoFailed


class Breaking:
    """A demo that is sent a signal, and whose parts break when it is told to end."""

    def __init__(self, number) -> None:
        self._number = number

    async def run(self, nursery, home, console, *, json_, keep) -> bool:
        nursery.start_soon(self._ask)
        os.kill(os.getpid(), self._number)
        await trio.sleep_forever()

    async def _ask(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ConnectionError("the hub is gone")


class Failing:
    def __init__(self, *errors) -> None:
        self._errors = errors

    async def run(self, nursery, home, console, *, json_, keep) -> bool:
        raise ExceptionGroup("", self._errors)


def ended(run, tmp_path):
    out = io.StringIO()
    ending = run_to_its_end(run, Console(file=out), tmp_path, json_=False, keep=False)
    return EXIT_CODES[ending], out.getvalue()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_one_sentence_whatever_breaks_after_it(tmp_path, number):
    assert ended(Breaking(number), tmp_path) == (130, f"Stopped. Files and logs are in {tmp_path}\n")


def test_a_failure_is_its_sentence(tmp_path):
    code, said = ended(Failing(DemoFailed("no block in 60 s"), DemoFailed("nor after")), tmp_path)
    assert (code, said) == (1, f"The demo failed: no block in 60 s\nIts logs are in {tmp_path}\n")


def test_what_nobody_expected_is_not_hidden(tmp_path):
    with pytest.raises(ExceptionGroup):
        run_to_its_end(
            Failing(DemoFailed("no block"), KeyError("a bug")),
            Console(file=io.StringIO()),
            tmp_path,
            json_=False,
            keep=False,
        )
