"""`hutong` where no socket can be opened: in a process of its own, or within this one, which costs a tenth."""

import io
import signal
import socket
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from hutong.relay.cli import main as command_line

NO_NETWORK = """
import socket, sys
def refuse(*arguments, **options):
    raise SystemExit("the audit opened a socket")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from hutong.relay.cli.main import main
sys.argv[0] = "hutong"
main()
"""
OPENED = 77
LIMIT_S = 600


def in_its_own_process(*words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", NO_NETWORK, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)


def within_this_process(*words) -> subprocess.CompletedProcess:
    """An exception that ends the command is the test's."""
    command = ["hutong", *map(str, words)]
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        patch.setattr(sys, "argv", command)
        # what a command changes for the whole of its process
        patch.setattr(command_line, "defer_first_collection", lambda: None)
        patch.setenv("PYTHONSAFEPATH", "1")
        patch.delenv("PYTHONPATH", raising=False)
        for owner, name in ((socket.socket, "connect"), (socket, "create_connection"), (socket, "getaddrinfo")):
            patch.setattr(owner, name, _refuse)
        code = _exit_code()
    assert code != OPENED, "the audit opened a socket"
    return subprocess.CompletedProcess(command, code, output.getvalue(), errors.getvalue())


def _refuse(*_arguments, **_options):
    raise SystemExit(OPENED)


def _too_long(_signal, _frame):
    raise AssertionError(f"the command takes more than {LIMIT_S} s")


def _exit_code() -> int:
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT_S)
    try:
        command_line.main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
            return 1
        return ended.code or 0
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return 0
