"""Changed documents of keys, lines of records and requests of the signer: each is refused by name, or is what it says.

python -m tests.relay.keys.mutate [--count 100000] [--seed 1]

Of what a parser takes, the preimage is the very bytes that were given, so nobody signs anything but what was judged. The signer
answers every request with a status that its OpenAPI document names, and signs (200) only what its policy allows.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import trio

from hutong.light_clients.crypto import secp256k1
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys import ForeignDocument, KeyUnavailable
from hutong.relay.keys.documents import (
    DocumentKind,
    SigningDocument,
    parse_cosmos_transaction,
    parse_jws_input,
    parse_transaction,
    parse_typed_data,
)
from hutong.relay.keys.record_lines import read_continuation, read_line
from hutong.relay.keys.signing_record import SigningRecord
from hutong.relay.keys.sources.eth1_api import HUTONG_SIGN_PATH, SIGN_PATH, identifier_of
from hutong.relay.keys.sources.guarded import GuardedSource
from hutong.relay.keys.sources.in_memory import KeyInMemory
from hutong.relay.signer.app import SignerApp
from hutong.relay.signer.desk import SigningDesk
from hutong.relay.telemetry import configure_logs
from tests.relay.keys.documents import ES256_TOKEN, cosmos_transaction, documents, legacy, token, transaction

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)
MOST_CHANGES = 3
MAX_SUMMARY_CHARS = 1_000
STATUSES = {200, 400, 403, 404, 405, 503}
POLICY = PolicyConfig.model_validate(
    {
        "documents": ["evm-transaction", "cosmos-transaction", "typed-data"],
        "chains": ["31337", "simd-1"],
        "value_wei": 5,
    }
)
INTERESTING = (
    b"",
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xb8\xff",
    b"\xf9\xff\xff",
    b"\xc0",
    b"\x01",
    b'"',
    b"{",
    b".",
    b"\n",
)
LINE = (
    b'{"number":1,"time_s":100,"key":"02ab","kind":"evm-transaction","digest":"00","summary":"one","place":["1",7],'
    b'"amounts":{"wei":5},"previous":"' + b"00" * 32 + b'"}'
)
CONTINUATION = b'{"continues":5,"previous":"' + b"11" * 32 + b'","day":2,"day_from":3}'


def changed(data: bytes, other: bytes, random: Random) -> bytes:
    """One change: a bit, a byte, a cut, bytes put in or repeated, or a part of another input."""
    at = random.randrange(len(data) + 1)
    match random.randrange(7):
        case 0 if data:
            at = random.randrange(len(data))
            return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
        case 1 if data:
            at = random.randrange(len(data))
            return data[:at] + random.randbytes(1) + data[at + 1 :]
        case 2:
            return data[:at]
        case 3:
            return data[:at] + random.choice(INTERESTING) + data[at:]
        case 4:
            end = random.randrange(at, len(data) + 1)
            return data[:at] + data[at:end] * random.randint(0, 3) + data[end:]
        case 5:
            end = random.randrange(len(other) + 1)
            return data[:at] + other[end : end + random.randrange(64)] + data[at:]
    end = random.randrange(len(other) + 1)
    return data[:at] + other[end:]


def check_document(document: SigningDocument, data: bytes) -> str | None:
    """What is wrong with a document that a parser made of these bytes."""
    if document.preimage != data:
        return "its preimage is not what was parsed"
    if len(document.digest) != 32 or not 0 < len(document.summary) <= MAX_SUMMARY_CHARS or "\n" in document.summary:
        return f"its digest or summary is unfit: {document.summary[:100]!r}"
    return None


PARSERS: dict[str, tuple[Callable[[bytes], SigningDocument], list[bytes]]] = {
    "transaction": (parse_transaction, [transaction().preimage, transaction(to=None).preimage, legacy().preimage]),
    "cosmos": (parse_cosmos_transaction, [cosmos_transaction(PUBLIC).preimage]),
    "typed data": (
        parse_typed_data,
        [documents(PUBLIC)[kind].preimage for kind in (DocumentKind.TYPED_DATA, DocumentKind.ATTESTATION)],
    ),
    "token": (parse_jws_input, [token().preimage, ES256_TOKEN.preimage]),
}
OURS = [cosmos_transaction(PUBLIC).preimage]
THEIRS = [
    *(one.preimage for one in (transaction(), transaction(chain_id=1), legacy())),
    documents(PUBLIC)[DocumentKind.TYPED_DATA].preimage,
]
"""What is asked of the signer by its own path, and by Web3Signer's: the transaction on chain 1 is against the policy."""
LINES: dict[str, tuple[Callable[[bytes, str], Any], bytes]] = {
    "line": (read_line, LINE),
    "continuation": (read_continuation, CONTINUATION),
}


@dataclass
class Run:
    """What came of the inputs."""

    random: Random
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def made(self, start: list[bytes], others: list[bytes]) -> bytes:
        data = self.random.choice(start)
        for _ in range(self.random.randint(1, MOST_CHANGES)):
            data = changed(data, self.random.choice(others), self.random)
        return data

    def parse(self, others: list[bytes]) -> None:
        """One changed document through its parser."""
        name = self.random.choice(list(PARSERS))
        parser, start = PARSERS[name]
        data = self.made(start, others)
        try:
            document = parser(data)
        except ForeignDocument:
            self.outcomes[f"{name}: refused"] += 1
            return
        except Exception as error:
            self.wrong.append(f"{name}: {type(error).__name__}: {error}: {data.hex()}")
            return
        self.outcomes[f"{name}: taken"] += 1
        if (reason := check_document(document, data)) is not None:
            self.wrong.append(f"{name}: {reason}: {data.hex()}")

    def read(self, others: list[bytes]) -> None:
        """One changed line of a record."""
        name = self.random.choice(list(LINES))
        reader, start = LINES[name]
        data = self.made([start], others)
        try:
            reader(data, "here")
        except KeyUnavailable:
            self.outcomes[f"{name}: refused"] += 1
        except Exception as error:
            self.wrong.append(f"{name}: {type(error).__name__}: {error}: {data!r}")
        else:
            self.outcomes[f"{name}: taken"] += 1

    async def ask(self, app: SignerApp, others: list[bytes]) -> None:
        """One changed request at the signer: its path, its body, or the document in it."""
        random = self.random
        ours = random.random() < 0.3
        start = OURS if ours else THEIRS
        data = self.made(start, others) if random.random() < 0.6 else random.choice(start)
        said = {"data": f"0x{data.hex()}"} | ({"kind": "cosmos-transaction"} if ours else {})
        body = json.dumps(said).encode()
        path = (HUTONG_SIGN_PATH if ours else SIGN_PATH) + identifier_of(PUBLIC)
        if random.random() < 0.3:
            body = changed(body, random.choice(others), random)
        if random.random() < 0.1:
            path = changed(path.encode(), random.choice(others), random).decode("latin-1")
        method = random.choice(("GET", "PUT", "POST")) if random.random() < 0.05 else "POST"
        try:
            status = await answered(app, method, path, body)
        except Exception as error:
            self.wrong.append(f"request: {type(error).__name__}: {error}: {path!r} {body!r}")
            return
        self.outcomes[f"request: {status}"] += 1
        if status not in STATUSES:
            self.wrong.append(f"request: status {status}: {path!r} {body!r}")


async def answered(app: SignerApp, method: str, path: str, body: bytes) -> int:
    """The status of one request, asked without a network."""
    sent: list[dict[str, Any]] = []
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": path}, receive, send)
    return int(sent[0]["status"])


async def run(count: int, seed: int, record: SigningRecord | None = None) -> Run:
    """Documents, lines and requests in turn; of requests a tenth, for each of them is asked through the whole signer."""
    found = Run(Random(seed))
    others = [one for _, start in PARSERS.values() for one in start] + [LINE, CONTINUATION]
    source = GuardedSource(KeyInMemory(SECRET), POLICY, record)
    app = SignerApp(SigningDesk([source], 5.0), 10**9, 32)
    for number in range(count):
        if number % 10 == 0:
            await found.ask(app, others)
        elif number % 10 == 1:
            found.read(others)
        else:
            found.parse(others)
    return found


def main() -> int:
    """Exit code 1 where one was neither refused nor what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure_logs("error")  # each signature is a line of the signer's
    found = trio.run(run, given.count, given.seed)
    print(", ".join(f"{number} {outcome}" for outcome, number in sorted(found.outcomes.items())))
    for line in found.wrong[:20]:
        print(line)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
