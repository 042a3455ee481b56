"""Presentations as transactions, at a rate, and what the gate said to each, by the blocks of its chain."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from eth_account import Account
from eth_utils.address import to_checksum_address

from bench.direct_lane import BenchFailed, Rpc
from bench.revoking.issuer import SCHEMA, Credential, Issuer
from hutong.adapters.evm.cache_calls import CachedList, decode_cached
from hutong.adapters.evm.identity_cache import FACTS
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.services.identity.rules.seals import (
    Gate,
    Presentation,
    gated_call_hash,
    presentation_digest,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE, Shown, acceptance_members
from tests.nodes.evm.running_anvil import Anvil

ACCEPT = f"accept({ACCEPTANCE_TUPLE},bytes32)"
SELECTOR = keccak256(ACCEPT.encode())[:4]
GAS = 250_000
MAX_AGE_S = 15
"""Of the gates."""
TICK_S = 0.25
MOST_OWED_S = 2
"""What a busy machine did not send in time is sent later, but no more than of so long."""
LOOK_S = 0.1
DEADLINE_S = 2**33
_NONCE, _SIGNATURE = keccak256(b"nonce"), keccak256(b"r") + keccak256(b"s") + b"\x1b"
"""In their places until a presentation is signed: encoding all of it anew for each is most of what it costs."""
VICTIMS_A_TICK = 2
"""Presentations of what is revoked, of which one shows the list as it was."""


@dataclass
class Block:
    """What a gate said in one block: counts of presentations of credentials that hold, and of the revoked one."""

    height: int
    time_s: int
    kept: CachedList | None
    """By the cache, after the block."""
    good: Counter[str] = field(default_factory=Counter)
    revoked: Counter[str] = field(default_factory=Counter)

    def verdict(self, root: bytes, *, is_accepted: bool) -> str:
        """Of a presentation that showed the list of that root: "stale" after `maxAge`, "other root" where the list moved
        between the look and the block, so that whoever presents shows the newer one then; "refused" for any other reason.
        """
        if is_accepted:
            return "accepted"
        if self.kept is None or self.time_s - self.kept.header_time_s > MAX_AGE_S:
            return "stale"
        return "refused" if root == self.kept.root else "other root"


@dataclass(frozen=True, slots=True)
class _Sent:
    is_revoked: bool
    root: bytes


@dataclass(frozen=True, slots=True)
class _Form:
    """Calldata of a credential with one version of its list, in which nonce and signature are still to be filled in."""

    gate: Gate
    digest: bytes
    data: bytes

    def filled(self, nonce: int, signature: bytes) -> bytes:
        return self.data.replace(_NONCE, nonce.to_bytes(32, "big"), 1).replace(_SIGNATURE, signature, 1)


class Presenter:
    """Of one chain: a thread sends, another reads blocks. `victim` is presented beside the good ones while it is set."""

    def __init__(self, anvil: Anvil, gate: bytes, cache: bytes, issuer: Issuer, rate: float, seed: int) -> None:
        """`rate`: presentations a second of credentials that hold."""
        self.anvil, self.gate, self.cache, self.issuer, self.rate = anvil, gate, cache, issuer, rate
        self.victim: Credential | None = None
        self.blocks: dict[int, Block] = {}
        self.kept: CachedList | None = None
        self.sent = 0
        self._owed, self._sent_s = 0.0, time.monotonic()
        self._random = Random(seed)
        self._account = Account.create()
        anvil.fund(self._account.address)
        self._caller = bytes.fromhex(self._account.address[2:])
        self._nonce = 0
        self._nonces = count(1)
        """Of holders; both threads and the rounds take from it."""
        self._pending: dict[str, _Sent] = {}
        self._forms: dict[tuple[int, bytes], _Form] = {}
        self._good = [issuer.credential() for _ in range(16)]
        self._call = gated_call_hash(SELECTOR, encode_abi(("bytes32",), [SCHEMA]))
        self._rpc, self._reads, self._asks = (Rpc(anvil.url) for _ in range(3))
        self._ends = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(one,), daemon=True) for one in (self._send, self._read)
        ]

    def start(self) -> None:
        """Begin to present and to read blocks."""
        self._seen = int(self._reads("eth_blockNumber"), 16)
        for thread in self._threads:
            thread.start()

    def check(self) -> None:
        """Raises BenchFailed if it presents no more, or the node was asked in vain."""
        if self._failure is not None:
            raise BenchFailed(f"presentations on chain {self.anvil.chain_id} ended: {self._failure!r}")

    def stop(self) -> None:
        """No presentation is sent after it returns."""
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            while not self._ends.is_set():
                work()
        except BaseException as error:
            self._failure = error

    def calldata(self, credential: Credential, root: bytes) -> bytes:
        """A presentation that shows the list's version of that root, with a nonce of its own."""
        form = self._forms.get((credential.sealed.seal.index, root))
        if form is None:
            form = self._forms[credential.sealed.seal.index, root] = self._form(credential, root)
        nonce = next(self._nonces)
        said = Presentation(form.gate, self._caller, nonce, DEADLINE_S, form.digest, self._call)
        return form.filled(nonce, sign_account(credential.holder, presentation_digest(said)))

    def _form(self, credential: Credential, root: bytes) -> "_Form":
        sealed, gate = credential.sealed, Gate(self.anvil.chain_id, self.gate)
        digest = seal_digest(sealed.seal)
        said = Presentation(gate, self._caller, int.from_bytes(_NONCE, "big"), DEADLINE_S, digest, self._call)
        shown = Shown(("licence",), self.issuer.status(root, sealed.seal.index))
        members = acceptance_members(sealed, shown, said, _SIGNATURE)
        return _Form(gate, digest, SELECTOR + encode_abi((ACCEPTANCE_TUPLE, "bytes32"), [members, SCHEMA]))

    def _send(self) -> None:
        kept, now_s = self.kept, time.monotonic()
        self._owed = min(self.rate * MOST_OWED_S, self._owed + self.rate * (now_s - self._sent_s))
        self._sent_s = now_s
        if kept is not None:
            works = [(self._random.choice(self._good), kept.root, False) for _ in range(int(self._owed))]
            self._owed -= len(works)
            if (victim := self.victim) is not None:
                roots = list(self.issuer.versions)
                before = roots[max(0, roots.index(kept.root) - 1)]
                works += [(victim, root, True) for root in (kept.root, before)][:VICTIMS_A_TICK]
            self._broadcast(works)
        self._ends.wait(max(0.0, now_s + TICK_S - time.monotonic()))

    def _broadcast(self, works: Sequence[tuple[Credential, bytes, bool]]) -> None:
        raws = []
        for credential, root, is_revoked in works:
            fields: dict[str, Any] = {
                "chainId": self.anvil.chain_id,
                "nonce": self._nonce,
                "gas": GAS,
                "value": 0,
                "gasPrice": 2 * 10**9,
            }
            fields |= {"to": to_checksum_address(self.gate), "data": self.calldata(credential, root)}
            raw = bytes(self._account.sign_transaction(fields).raw_transaction)
            self._nonce += 1
            self._pending[f"0x{keccak256(raw).hex()}"] = _Sent(is_revoked, root)
            raws.append([f"0x{raw.hex()}"])
        for answer in self._rpc.each("eth_sendRawTransaction", raws):
            if "error" in answer:
                raise BenchFailed(f"chain {self.anvil.chain_id} takes no presentation: {answer['error']}")
        self.sent += sum(not is_revoked for _, _, is_revoked in works)

    def _read(self) -> None:
        newest = int(self._reads("eth_blockNumber"), 16)
        for height in range(self._seen + 1, newest + 1):
            self._look_at(height)
            self._seen = height
        self.kept = self._facts()
        self._ends.wait(LOOK_S)

    def _look_at(self, height: int) -> None:
        time_s = int(self._reads("eth_getBlockByNumber", hex(height), False)["timestamp"], 16)
        block = Block(height, time_s, self._facts(hex(height)))
        for receipt in self._reads("eth_getBlockReceipts", hex(height)):
            sent = self._pending.pop(receipt["transactionHash"], None)
            if sent is not None:
                verdict = block.verdict(sent.root, is_accepted=int(receipt["status"], 16) == 1)
                (block.revoked if sent.is_revoked else block.good)[verdict] += 1
        self.blocks[height] = block

    def _facts(self, at: str = "latest") -> CachedList | None:
        call = {"to": f"0x{self.cache.hex()}", "data": f"0x{FACTS.encode(self.issuer.id, 0).hex()}"}
        answer = self._reads.answer("eth_call", call, at)
        return None if "error" in answer else decode_cached(bytes.fromhex(answer["result"][2:]))

    def says(self, credential: Credential, root: bytes) -> bool:
        """Whether the gate would accept it in the newest block, by `eth_call`."""
        call = {"from": self._account.address, "to": f"0x{self.gate.hex()}", "gas": hex(GAS)}
        call["data"] = f"0x{self.calldata(credential, root).hex()}"
        return "error" not in self._asks.answer("eth_call", call, "latest")
