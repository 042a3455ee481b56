"""Forged answers, some hundreds of them; the million is `python -m tests.relay.services.storage.mutate_answers`."""

from tests.relay.services.storage.mutate_answers import run


def test_attack_S3_forged_answers_are_refused_by_name():
    outcomes, wrong = run(1_500, seed=19)
    assert not wrong
    assert {"leaf_stands_in_shard", "entry_stands_in_batch", "batch_stands_in_log", "malformed"} <= set(outcomes)
