"""Engines that compute wrongly, as libraries have: each takes a right one and changes some of its answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from hutong.light_clients.crypto.engines import ALGORITHMS, Algorithm, Answer, Engine, Question

Change = Callable[[Question, Answer], Answer]


def wrong(engine: Engine, change: Change) -> Engine:
    """`engine`, each of whose answers goes through `change` first."""

    def load():
        right = engine.answering()

        def answering(questions: Sequence[Question]) -> list[Answer]:
            return [change(question, answer) for question, answer in zip(questions, right(questions), strict=True)]

        return answering

    return replace(engine, load=load)


def with_wrong(name: str, change: Change) -> Algorithm:
    """The algorithm of that name, its first engine made wrong."""
    algorithm = ALGORITHMS[name]
    return replace(algorithm, engines=(wrong(algorithm.engines[0], change), *algorithm.engines[1:]))


def accepts_zero_s(question: Question, answer: Answer) -> Answer:
    """As a library without the check of its range did."""
    return True if question[2][32:64] == bytes(32) else answer


def refuses_one_in(most: int) -> Change:
    """As GmSSL did on processors with BMI2 (GmSSL#951): one good signature in so many."""

    def change(question: Question, answer: Answer) -> Answer:
        digest = sha256(b"".join(question)).digest()
        return False if int.from_bytes(digest[:8], "big") % most == 0 else answer

    return change


def by_other_edge_rules(question: Question, answer: Answer) -> Answer:
    """Ed25519 without the cofactor: of RFC 8032 by its letter, where a chain goes by ZIP-215."""
    key, _, signature = question
    small = signature[32:] == bytes(32) and len(signature) == 64
    return signature[:32] == key if small and answer else answer
