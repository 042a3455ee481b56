"""The other side of `test_webvh_peer.py`: did-webvh of PyPI, asked over the process' input; run by its own Python.

A line in is JSON with `did`, `log` and `witness` (null where there is no file); a line out is the resolution result.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from did_webvh.resolver import resolve_did  # type: ignore[import-not-found]


def answer(question: dict[str, str | None]) -> object:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "did.jsonl").write_text(question["log"] or "", encoding="utf-8")
        if question["witness"] is not None:
            (folder / "did-witness.json").write_text(question["witness"], encoding="utf-8")
        found = asyncio.run(resolve_did(question["did"], local_history=folder, add_implicit=False))
        return found.serialize()


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=str), flush=True)
