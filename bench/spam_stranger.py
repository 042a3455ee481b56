"""A stranger with an empty account and much time: everything at once against one hub node's doors, from one address.

`python -m bench.spam_stranger HOST PORT SECONDS SEED`: prints what it did and what it was answered, as JSON.
"""

import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from hashlib import sha256

from eth_account import Account

SOURCE = "127.0.0.2"
"""Another loopback address than the relay's, as a stranger's is."""
BALLAST_BYTES = 100 * 1024
SUBSCRIPTIONS = 100
ROUTER = "0x" + "00" * 18 + "1000"
SPIN = "0x5b600056"
ASK_LIMIT_S = 30


class Door:
    """One HTTP connection to the node, opened anew where it was closed."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, *params: object) -> dict[str, object]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=ASK_LIMIT_S, source_address=(SOURCE, 0)
            )
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self._connection.request("POST", "/", body, {"content-type": "application/json"})
            return dict(json.loads(self._connection.getresponse().read()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            self._connection = None
            return {"error": {"message": f"{type(error).__name__}"}}


def answered(answer: dict[str, object]) -> str:
    """The first words of a refusal, or `taken`."""
    error = answer.get("error")
    return str(error["message"])[:60] if isinstance(error, dict) else "taken"


def fill_pool(chain_id: int, door: Door, choice: random.Random) -> str:
    """A fresh account each time, with zeros for the disk or with all the gas of a block."""
    account = Account.from_key(sha256(b"stranger %d" % choice.getrandbits(64)).digest())
    large = choice.random() < 0.3
    data = bytes(BALLAST_BYTES) if large else choice.randbytes(choice.randrange(4, 300))
    gas = 2_000_000 if large else choice.choice((100_000, 1_000_000, 16_000_000))
    fields = {"chainId": chain_id, "nonce": 0, "gas": gas, "gasPrice": choice.choice((0, 10**9)), "value": 0}
    signed = account.sign_transaction({**fields, "to": ROUTER, "data": data})
    return answered(door.ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))


def occupy_calls(door: Door, choice: random.Random) -> str:
    call = choice.choice(
        (
            {"data": SPIN},
            {"to": ROUTER, "data": "0x" + choice.randbytes(64 * 1024).hex()},
            {"to": "0x" + "00" * 19 + "05", "data": "0x" + "ff" * 1_000},
        )
    )
    return answered(door.ask(choice.choice(("eth_call", "eth_estimateGas")), call, "latest"))


def subscribe(host: str, port: int, until: float) -> str:
    """A WebSocket that subscribes to everything and reads nothing."""
    with socket.create_connection((host, port), timeout=ASK_LIMIT_S, source_address=(SOURCE, 0)) as line:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        line.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        if b"101" not in line.recv(4_096):
            return "refused"
        for kind in (["newHeads"], ["logs", {}], ["newPendingTransactions"]):
            text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": kind}).encode()
            mask = b"\x01\x02\x03\x04"
            masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
            line.sendall(struct.pack("!BBH", 0x81, 0xFE, len(text)) + mask + masked)
        while time.monotonic() < until:
            time.sleep(1)
            try:
                line.sendall(struct.pack("!BB", 0x8A, 0x80) + b"\0\0\0\0")
            except OSError:
                return "sent away"
    return "stayed"


def main() -> None:
    host, port, seconds, seed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    until = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    lock = threading.Lock()
    chain_id = int(str(Door(host, port).ask("eth_chainId")["result"]), 16)

    def again(name: str, act: Callable[[Door, random.Random], str], number: int) -> None:
        door, choice = Door(host, port), random.Random(f"{seed} {name} {number}")
        while time.monotonic() < until:
            said = act(door, choice)
            with lock:
                counts[f"{name}: {said}"] += 1

    def listen() -> None:
        while time.monotonic() < until:
            try:
                said = subscribe(host, port, until)
            except OSError as error:
                said = type(error).__name__
            with lock:
                counts[f"subscription: {said}"] += 1
            time.sleep(0.2)

    fill = partial(fill_pool, chain_id)
    threads = [threading.Thread(target=again, args=("pool", fill, number)) for number in range(2)]
    threads += [threading.Thread(target=again, args=("call", occupy_calls, number)) for number in range(8)]
    threads += [threading.Thread(target=listen) for _ in range(SUBSCRIPTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
