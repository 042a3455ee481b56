"""Record what tests/adapters/cosmos asks of a simd: `python -m tests.nodes.cosmos.record_simd`.

A simd and a hub exchange packets: one sent and acknowledged, one received, one timed out, one that stands. Then the chain is
pinned at a height, and every question that `reads.read_everything` leads to is written down with its answer, with the node's
index and without it.
"""

import trio


def main() -> None:
    from tests.nodes.cosmos.recording_simd import record_simd

    trio.run(record_simd)


if __name__ == "__main__":
    main()
