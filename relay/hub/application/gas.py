"""What native modules charge (docs/spec/hub-modules.md). Frozen per rules version.

Every charge is made before the work, from lengths alone, so that no input can buy work that it has not paid for. A
signature check costs about 40 µs and 64 bytes of message at least, hence the price of a client message's byte.
"""

CALL = 700
DECODE_BYTE = 3
"""ABI decoding and re-encoding."""
STORE_READ = 800
STORE_WRITE = 12_000
"""About 25 tree nodes."""
STORE_BYTE = 8
CLIENT_MESSAGE = 30_000
CLIENT_MESSAGE_BYTE = 48
"""Header or misbehaviour: bounds signatures, hashes and proof nodes alike."""
GM_MESSAGE_BYTE = 192
"""The same where SM2 may be in it: a check costs about 700 µs, and 128 bytes of message at least, its sealer's key being there too."""
PROOF = 20_000
PROOF_BYTE = 16
PACKET_BYTE = 6
"""Hashing, stamping and event of each payload byte."""
BATCH_CALL = 2_000
SCAN_ROW = 1_500
"""One row of an ordered read over an unknown number of rows."""
STORAGE_ANSWER = 3_000
"""One answer to a probe, or one entry shown: some forty hashes and their values, beside the bytes."""
STORAGE_CANDIDATE = 4_000
"""One operator of a map, read and put in its place."""
DIRECTORY_LEAF = 300
"""A leaf of one facet: its head read from bytes and changed, with two hashes on the average."""
PERSON_HASH = 100
"""One hash of a person's leaf, digest or path: about a microsecond and a half."""
