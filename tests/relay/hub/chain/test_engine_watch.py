"""Engines of consensus are watched while a node runs; one that answers otherwise halts it, with the question kept."""

import json
from dataclasses import replace

import pytest
import trio
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from hutong.light_clients.crypto import gm, secp256k1
from hutong.light_clients.crypto.engines import ALGORITHMS, GM_ALGORITHMS, NotInstalled, one_by_one
from hutong.relay.acceleration import engine_watch
from hutong.relay.acceleration.engine_watch import EVIDENCE_DIRECTORY, QUESTIONS, EngineWatch, EngineWrong
from hutong.relay.hub.chain import engine_watch as hub_watch
from hutong.relay.hub.home.process import halt_reason
from hutong.relay.hub.process.start import Ports, open_node, serve_node
from tests.relay.hub.hub_process import new_home

RIGHT = secp256k1.verify_low_s_batch


def refuses_everything(signatures):
    return [False for _ in signatures]


def test_right_engines_pass_round_after_round(tmp_path):
    watch = EngineWatch(tmp_path)
    assert watch.ask() == watch.ask() >= 5 * QUESTIONS
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_engine_halts_and_its_question_is_kept(tmp_path, monkeypatch):
    watch = EngineWatch(tmp_path)
    monkeypatch.setattr(secp256k1, "verify_low_s_batch", refuses_everything)
    with pytest.raises(EngineWrong, match="libsecp256k1 answers False where the engine .* gives True") as halted:
        for _ in range(20):  # the four questions of a round may all be refusals
            watch.ask()
    (kept,) = (tmp_path / EVIDENCE_DIRECTORY).iterdir()
    assert str(kept) in str(halted.value)
    key, digest, signature = map(bytes.fromhex, json.loads(kept.read_text())["question"])
    assert RIGHT([(key, digest, signature)]) == [True]


def rounds(watch, *, most=20):
    """The first round may have refusals alone."""
    for _ in range(most):
        watch.ask()


def with_judges(monkeypatch, change):
    """The judges of ECDSA with the last and fastest one's loader changed; how often each was asked, by name."""
    algorithm, asked = ALGORITHMS["secp256k1 verify"], dict.fromkeys(("eth-keys native", "OpenSSL"), 0)

    def counted(judge, load):
        def loaded():
            answering = load()

            def answer(questions):
                asked[judge.name] += 1
                return answering(questions)

            return answer

        return replace(judge, load=loaded)

    plain, fast = algorithm.judges
    judges = (counted(plain, plain.load), counted(fast, lambda: change(fast.load())))
    monkeypatch.setattr(engine_watch, "ALGORITHMS", {**ALGORITHMS, algorithm.name: replace(algorithm, judges=judges)})
    return asked


def test_attack_G18_hub_an_SM2_engine_that_computes_wrongly_halts_a_hub_that_judges_by_it(tmp_path, monkeypatch):
    usual, watch = EngineWatch(tmp_path / "usual"), EngineWatch(tmp_path / "gm", GM_ALGORITHMS)
    assert watch.ask() == usual.ask() + QUESTIONS + 1
    wrong = replace(ALGORITHMS["sm2 verify"].engines[0], load=lambda: one_by_one(lambda *question: False))
    sm2 = replace(ALGORITHMS["sm2 verify"], engines=(wrong,))
    monkeypatch.setattr(engine_watch, "ALGORITHMS", {**ALGORITHMS, "sm2 verify": sm2})
    usual, watch = EngineWatch(tmp_path / "usual"), EngineWatch(tmp_path / "gm", GM_ALGORITHMS)
    usual.ask()
    with pytest.raises(EngineWrong, match="GmSSL answers False where the engine gmalg gives True for sm2 verify"):
        rounds(watch)
    assert not (tmp_path / "usual").exists()
    (kept,) = (tmp_path / "gm" / EVIDENCE_DIRECTORY).iterdir()
    key, message, signature = map(bytes.fromhex, json.loads(kept.read_text())["question"])
    assert gm.verify(key, message, signature)


def test_a_host_without_the_curve_of_a_judge_has_the_other_judge(tmp_path, monkeypatch):
    def refused(*values):
        raise UnsupportedAlgorithm("Curve secp256k1 is not supported")

    monkeypatch.setattr(ec.EllipticCurvePublicKey, "from_encoded_point", refused)
    judge = ALGORITHMS["secp256k1 verify"].judges[1]
    with pytest.raises(NotInstalled, match="OpenSSL is not installed"):
        judge.answering()
    assert EngineWatch(tmp_path).ask() >= 5 * QUESTIONS
    assert list(tmp_path.iterdir()) == []


def test_a_judge_that_fails_is_asked_no_more_and_the_next_one_judges(tmp_path, monkeypatch):
    def failing(answering):
        def answer(questions):
            raise UnsupportedAlgorithm("disabled")

        return answer

    asked = with_judges(monkeypatch, failing)
    watch = EngineWatch(tmp_path)
    assert watch.ask() == watch.ask() >= 5 * QUESTIONS
    assert asked == {"OpenSSL": 1, "eth-keys native": 2}
    monkeypatch.setattr(secp256k1, "verify_low_s_batch", refuses_everything)
    with pytest.raises(EngineWrong, match="libsecp256k1 answers False where the engine eth-keys native gives True"):
        rounds(watch)


def test_a_judge_that_the_other_judge_contradicts_halts_no_node(tmp_path, monkeypatch):
    asked = with_judges(monkeypatch, lambda answering: refuses_everything)
    watch = EngineWatch(tmp_path)
    rounds(watch, most=8)
    assert asked["eth-keys native"] >= 1
    kept = list((tmp_path / EVIDENCE_DIRECTORY).iterdir())
    assert kept and all(json.loads(one.read_text())["by"] == "the engine OpenSSL" for one in kept)
    before = asked["OpenSSL"]
    watch.ask()
    assert asked["OpenSSL"] == before


@pytest.mark.long
async def test_a_node_halts_by_it(tmp_path, monkeypatch):
    home = new_home(tmp_path)
    node = await trio.to_thread.run_sync(open_node, home)
    monkeypatch.setattr(hub_watch, "EVERY_S", 0.0)
    monkeypatch.setattr(secp256k1, "verify_low_s_batch", refuses_everything)
    with pytest.raises(BaseExceptionGroup) as halted:
        with trio.fail_after(40):
            await serve_node(node, Ports("127.0.0.1", 0, 0))
    assert halt_reason(halted.value).startswith("the engine libsecp256k1 answers False")
    node.log.close()
    node.store.close()
