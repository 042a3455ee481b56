"""Rows of `packets` as schema 0003 has them."""

NS = 10**9
INSERT_PACKET = (
    "INSERT INTO packets (packet_id, source_chain, source_client, destination_chain, destination_client, sequence, source_port,"
    " destination_port, payload_bytes, timeout_timestamp_s, forward_key, sent_time_ns, first_seen_at_ns, kind, step, at_ns,"
    " outcome, settled_at_ns) VALUES (?, ?, ?, ?, 'c', ?, 'transfer', 'transfer', 5, ?, ?, ?, 5, 'receive', 'included', 6, ?, ?)"
)


def first(sequence, sent_s, timeout_s, key="k", outcome=None, settled_s=None, source="alpha"):
    ends = (f"{source}/client-0/{sequence}", source, "client-0", "hub")
    settled_ns = None if settled_s is None else settled_s * NS
    return (*ends, sequence, timeout_s, key, None if sent_s is None else sent_s * NS, outcome, settled_ns)


def second(sequence, sent_s, key="k"):
    ends = (f"hub/bft-evm-1/{sequence}", "hub", "bft-evm-1", "beta")
    return (*ends, sequence, 9_000_000, key, None if sent_s is None else sent_s * NS, None, None)
