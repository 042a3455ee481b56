"""A short run over every subject, and that the engine finds a verifier out: lies taken, crashes, hangs, defences turned off."""

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint import predicates as tendermint_predicates
from tests.light_clients.mutate import all_subjects, main
from tests.light_clients.mutation import engine
from tests.light_clients.mutation.clients import KINDS, Bench
from tests.light_clients.mutation.engine import FalseAcceptance, Subject, case_of, check_seeds, run
from tests.light_clients.mutation.forms import Flat

SEED = 7
EACH = 12


@pytest.fixture(scope="module")
def subjects():
    return all_subjects()


@pytest.mark.long
def test_nothing_false_is_taken_and_most_inputs_reach_the_rules(subjects):
    check_seeds(subjects)
    tallies, failures = run(subjects, EACH * len(subjects), SEED)
    assert failures == []
    assert {tally.cases for tally in tallies.values()} == {EACH}
    cases = EACH * len(subjects)
    assert 2 * sum(tally.past_first_decoder for tally in tallies.values()) > cases
    assert 2 * sum(tally.past_all_decoders for tally in tallies.values()) > cases


def test_an_input_is_made_again_from_seed_and_number(subjects):
    subject = subjects[0]
    assert case_of(subject, 3, 11) == case_of(subject, 3, 11)
    assert len({case_of(subject, 3, number) for number in range(20)}) > 15


def judged_by(judge, first=lambda data: None):
    subject = Subject("planted", Flat(), (bytes(64),), first, judge)
    tallies, failures = run([subject], 20, SEED)
    return tallies["planted"], [failure.problem for failure in failures]


@pytest.mark.long
def test_each_way_to_fail_is_counted(monkeypatch):
    def lie(data):
        raise FalseAcceptance("a lie")

    def crash(data):
        raise IndexError("out of range")

    def hang(data):
        while True:
            pass

    def refuse(data):
        raise PredicateFailed("rule", "broken")

    def malformed(data):
        raise MalformedInput("field", "broken")

    assert judged_by(lie)[1] == ["false acceptance: a lie"] * 20
    assert judged_by(crash)[1] == ["raised IndexError: out of range"] * 20
    assert judged_by(lambda data: None, crash)[1] == ["the first decoder raised IndexError: out of range"] * 20
    tally, problems = judged_by(refuse, malformed)
    assert (tally.past_first_decoder, tally.past_all_decoders, tally.accepted, problems) == (0, 20, 0, [])
    monkeypatch.setattr(engine, "CASE_LIMIT_S", 0.02)
    assert all(problem.startswith("hang") for problem in judged_by(hang)[1])


def test_a_client_that_does_not_check_signatures_is_found_out(monkeypatch):
    def failures_of():
        bench = Bench("tendermint", *KINDS["tendermint secp256k1"])
        header = next(subject for subject in bench.subjects() if subject.name.endswith(" header"))
        return [failure.problem for failure in run([header], 600, SEED)[1]]

    assert failures_of() == []
    monkeypatch.setattr(tendermint_predicates, "commit_matches_header", lambda *args, **kwargs: None)
    problems = failures_of()
    assert problems and all(problem.startswith("false acceptance") for problem in problems)


@pytest.mark.long
def test_the_command_says_what_is_wrong(capsys):
    assert main(["--count", "40", "--only", "rlp"]) == 0
    assert "past the first decoder, 0 failures" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["--only", "no such subject"])
    assert caught.value.code == 2
