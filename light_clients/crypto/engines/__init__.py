"""Engines of cryptography: what is fast, what judges it, and what each must answer before it is used.

Importing this imports no library that hutong can do without. Measuring, batches over threads and processes, and evidence are in
`hutong.relay.acceleration`.
"""

from hutong.light_clients.crypto.engines.engine import (
    PYTHON,
    REFUSALS,
    Algorithm,
    Answer,
    Answering,
    Engine,
    KnownAnswer,
    NotInstalled,
    Question,
    Runs,
    Use,
    one_by_one,
)
from hutong.light_clients.crypto.engines.second_judge import BulkEngine, OnContradiction
from hutong.light_clients.crypto.engines.self_test import EngineContradicted, try_engine, try_engines_of_consensus
from hutong.light_clients.crypto.engines.table import ALGORITHMS, GM_ALGORITHMS

__all__ = [
    "ALGORITHMS",
    "GM_ALGORITHMS",
    "PYTHON",
    "REFUSALS",
    "Algorithm",
    "Answer",
    "Answering",
    "BulkEngine",
    "Engine",
    "EngineContradicted",
    "KnownAnswer",
    "NotInstalled",
    "OnContradiction",
    "Question",
    "Runs",
    "Use",
    "one_by_one",
    "try_engine",
    "try_engines_of_consensus",
]
