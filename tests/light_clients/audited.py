"""What the audit prints of a light client's verdict: each rule's name, source and outcome."""

from hutong.light_clients.interface import CheckVerdict, ConsensusStates, LightClient, audit


def printed_header(
    client: LightClient, state: bytes, states: ConsensusStates, header: bytes, now_ns: int
) -> tuple[CheckVerdict, ...]:
    return audit(client.judge_header, state, states, header, now_ns)


def printed_membership(
    client: LightClient,
    state: bytes,
    consensus_state: bytes,
    proof: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> tuple[CheckVerdict, ...]:
    return audit(client.judge_membership, state, consensus_state, proof, path, value)
