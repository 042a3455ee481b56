from hutong.relay.core.route.doubts import FAILURES_AN_ATTEMPT, MAX_JOBS, Doubts


def test_every_eighth_doubtful_failure_of_a_job_costs_an_attempt():
    doubts = Doubts()
    costs = [doubts.costs_an_attempt("receive:a/client-0/1") for _ in range(3 * FAILURES_AN_ATTEMPT)]
    assert [index + 1 for index, cost in enumerate(costs) if cost] == [8, 16, 24]


def test_jobs_are_counted_apart_and_forgotten():
    doubts = Doubts()
    for _ in range(FAILURES_AN_ATTEMPT - 1):
        doubts.costs_an_attempt("one")
    assert not doubts.costs_an_attempt("other")
    doubts.forget("one")
    assert not doubts.costs_an_attempt("one")


def test_memory_is_bounded():
    doubts = Doubts()
    for number in range(3 * MAX_JOBS):
        doubts.costs_an_attempt(str(number))
    assert len(doubts._failures) <= MAX_JOBS
