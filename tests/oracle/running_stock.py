"""Stock clients that live for one pass of the Go program: opened once, advanced header by header, judged at the end."""

import json
import subprocess
import tempfile
from types import TracebackType
from typing import Self

from tests.oracle.judges import BINARY, RUN_LIMIT_S
from tests.relay.hub.joining.header_follower import Follower, Update


class RunningStock:
    """One process of the oracle, fed while the chain grows. Its answers go to a file, so that neither side waits."""

    def __enter__(self) -> Self:
        self._answers = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=self._answers, text=True)
        self.lines = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()

    def _ask(self, line: dict[str, object]) -> None:
        self._process.stdin.write(json.dumps(line) + "\n")
        self.lines += 1

    def open(self, name: str, follower: Follower, now_ns: int) -> None:
        states = [{"revision_number": 1, "revision_height": 1, "state": follower.first_consensus_state.hex()}]
        self._ask(
            {
                "id": f"{name} opened",
                "kind": "open_client",
                "now_ns": now_ns,
                "client_state": follower.first_client_state.hex(),
                "consensus_states": states,
                "path": [name.encode().hex()],
            }
        )

    def advance(self, name: str, update: Update) -> None:
        self._ask(
            {
                "id": f"{name} {update.trusted} to {update.height}",
                "kind": "advance_client",
                "now_ns": update.now_ns,
                "message": update.message.hex(),
                "path": [name.encode().hex()],
            }
        )

    def verdicts(self) -> list[dict[str, object]]:
        """All answers, in order; the process ends."""
        self._process.stdin.close()
        assert self._process.wait(timeout=RUN_LIMIT_S) == 0
        self._answers.seek(0)
        found = [json.loads(line) for line in self._answers]
        assert len(found) == self.lines
        return found
