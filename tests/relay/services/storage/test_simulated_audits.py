"""Liars of several kinds over some epochs, each with the twin that passes; whole figures are `python -m bench storage losses` and others."""

from dataclasses import replace
from random import Random

from bench.storage.free_loader import FreeLoader
from bench.storage.grinding import is_found_though_last_to_reveal, is_found_with_secrets, tries_without_secrets
from bench.storage.losses import CASES, found_share


def test_attack_S2_a_free_loader_fails_every_audit_and_passes_without_the_mask():
    random = Random(9)
    loader, unmasked = FreeLoader(2, 3, mask=True), FreeLoader(2, 3, mask=False)
    seeds = [random.randbytes(32) for _ in range(3)]
    assert not any(loader.passes(seed, 8) for seed in seeds)
    assert all(unmasked.passes(seed, 8) for seed in seeds)


def test_attack_S5_a_grinding_proposer_is_found_with_secrets_and_passes_without():
    random = Random(10)
    tries = [tries_without_secrets(random, 100_000) for _ in range(4)]
    assert all(tried is not None and tried <= 1_000 for tried in tries)
    assert all(is_found_with_secrets(random, 100_000, 3) for _ in range(4))
    assert all(is_found_though_last_to_reveal(random, 3) for _ in range(8))


def test_attack_S3_what_is_lost_is_found_as_often_as_the_formula_says():
    random = Random(8)
    for case in CASES[:2]:
        assert found_share(case, 60, random) >= 0.95
    assert found_share(replace(CASES[0], lost=0.0), 3, random) == 0
