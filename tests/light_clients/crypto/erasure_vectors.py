"""The vectors of docs/spec/storage-code.md, made by the tests' own arithmetic: python -m tests.light_clients.crypto.erasure_vectors."""

import json
from hashlib import sha256

from tests.light_clients.crypto import erasure_reference as reference

CODES = ((1, 1, 32), (2, 1, 3), (4, 2, 8), (10, 4, 10), (20, 10, 4), (29, 51, 1))


def data_shards(data: int, parity: int, length: int) -> list[bytes]:
    return [
        sha256(f"hutong/storage/code/{data}-{parity}/{number}".encode()).digest()[:length] for number in range(data)
    ]


def vectors() -> list[dict]:
    return [
        {
            "k": data,
            "m": parity,
            "length": length,
            "parity": [shard.hex() for shard in reference.encode(data_shards(data, parity, length), parity)],
        }
        for data, parity, length in CODES
    ]


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1))
