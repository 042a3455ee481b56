"""Completion as a person has it: installed once, then TAB in a real bash; what zsh and fish are answered."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import SUBCOMMANDS, app

BIN = str(Path(sys.executable).parent)
LIMIT_S = 300


@pytest.fixture
def environment(tmp_path):
    return {"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "> "}


class Terminal:
    """A bash on a terminal of its own."""

    def __init__(self, environment: dict[str, str], home: Path) -> None:
        self.process, self._fd = pty.fork()
        if self.process == 0:
            os.chdir(home)
            os.execvpe("bash", ["bash", "--noprofile", "-i"], environment)
        self._seen = ""

    def types(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def shows(self, wanted: str) -> str:
        """All that it showed since the last call, up to `wanted`."""
        deadline = time.monotonic() + LIMIT_S
        while wanted not in self._seen:
            ready, _, _ = select.select([self._fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{wanted!r} is not in {self._seen!r}"
            self._seen += os.read(self._fd, 4096).decode(errors="replace")
        shown, _, self._seen = self._seen.partition(wanted)
        return shown + wanted

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._fd)


@pytest.mark.long
def test_trial_T10_tab_completes_in_bash(environment, tmp_path):
    terminal = Terminal(environment, tmp_path)
    try:
        terminal.types("hutong --install-completion\n")
        terminal.shows("bash completion installed in")
    finally:
        terminal.close()
    terminal = Terminal(environment, tmp_path)
    try:
        for typed, completed in (("hutong arch\t", "hutong archive "), ("ver\t", "verify "), ("--js\t", "--json ")):
            terminal.types(typed)
            terminal.shows(completed)
    finally:
        terminal.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("bash", {"COMP_WORDS": "hutong audit rep", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "hutong audit rep"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "hutong audit rep", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_trial_T10_each_shell_is_answered(environment, shell, asked):
    asked = environment | asked | {"_HUTONG_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(["hutong"], env=asked, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0 and "replay" in done.stdout and "not supported" not in done.stderr


def test_trial_T10_the_top_offers_every_command_without_importing_one(environment):
    code = "import sys; from hutong.relay.cli.main import main\ntry: main()\nfinally: assert 'web3' not in sys.modules, 'web3'"
    asked = environment | {"_HUTONG_COMPLETE": "complete_bash", "COMP_WORDS": "hutong ", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", f"import sys; sys.argv = ['hutong']\n{code}"]
    done = subprocess.run(command, env=asked, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.stdout.split() == list(SUBCOMMANDS), done.stderr


@pytest.mark.parametrize("command", sorted(SUBCOMMANDS))
def test_trial_T10_no_subcommand_offers_a_completion_of_its_own(command):
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0 and "completion" not in shown.output


def test_trial_T10_the_top_offers_it(environment):
    done = subprocess.run(["hutong", "--help"], env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert "--install-completion" in done.stdout and "--show-completion" in done.stdout
