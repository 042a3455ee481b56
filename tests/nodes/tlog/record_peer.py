"""Write tests/light_clients/tlog/recorded_peer.json: a log with proofs and cosignatures that Go made.

python -m tests.nodes.tlog.record_peer

Keys are new and times those of the run: whoever reads the file verifies it, and compares nothing with an earlier one.
"""

import json
from pathlib import Path

from tests.nodes.tlog.peer import asked

RECORD = Path(__file__).resolve().parents[2] / "light_clients" / "tlog" / "recorded_peer.json"
ENTRIES = 19
WITNESSES = ("witness.example/a", "witness.example/b", "witness.example/c")


def main() -> None:
    entries = [b"record %d of another's log" % number for number in range(ENTRIES)]
    made = asked("log", origin="go.example/registry", entries=entries, witnesses=list(WITNESSES))
    RECORD.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
