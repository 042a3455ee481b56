"""Answers of a real simd, recorded once by `python -m tests.nodes.cosmos.record_simd`: tests of the adapter need no node.

The chain stands still at the height where it was recorded. All its blocks are there, and what else was asked of it then.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("recorded_simd.json")
UNHEARD = {"code": -32603, "message": "Internal error", "data": "height is not available: it was not recorded"}


def canonical(method: str, params: Any) -> str:
    """One text for one question."""
    return json.dumps([method, params], sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Recording:
    """`facts` name what the chain holds; `answers` are by question, each a result or an error object."""

    facts: dict[str, Any]
    answers: dict[str, dict[str, Any]]

    @classmethod
    def load(cls) -> "Recording":
        document = json.loads(FILE.read_text())
        return cls(document["facts"], document["answers"])

    def save(self) -> None:
        FILE.write_text(json.dumps({"facts": self.facts, "answers": self.answers}, indent=0, sort_keys=True) + "\n")

    def answer(self, method: str, params: Any) -> dict[str, Any]:
        """`{"result": …}` or `{"error": …}`, as it was given. The newest block is that of the recording."""
        head = str(self.facts["head"])
        if method == "commit" and not params:
            params = {"height": head}
        if method == "abci_info":
            return {"result": {"response": {"last_block_height": head}}}
        if method == "blockchain":
            return self._headers(int(params["minHeight"]), int(params["maxHeight"]))
        return self.answers.get(canonical(method, params), {"error": UNHEARD})

    def _headers(self, first: int, last: int) -> dict[str, Any]:
        """As `blockchain` answers, from the recorded commits."""
        rows = []
        for height in range(last, first - 1, -1):
            signed = self.answer("commit", {"height": str(height)})["result"]["signed_header"]
            rows.append({"block_id": signed["commit"]["block_id"], "header": signed["header"], "num_txs": "0"})
        return {"result": {"last_height": str(self.facts["head"]), "block_metas": rows}}
