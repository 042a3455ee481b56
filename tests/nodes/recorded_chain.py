"""What the recorded chains have in common (see record_outside)."""

CHAIN_ID = 7_302
EPOCH_LENGTH = 10
ROUTER = "0x" + "a1" * 20
STORED, ABSENT = b"client-0\x01" + (1).to_bytes(8, "big"), b"client-0\x01" + (2).to_bytes(8, "big")
COMMITMENT = bytes(range(1, 33))
