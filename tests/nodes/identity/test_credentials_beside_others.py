"""What we accept, polaris-oid4vp and openvc-core accept; what both accept and we refuse is a row of strictness.md. Two more, sd-jwt of
PyPI and @sd-jwt of npm, are asked for the table alone."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from rich.console import Console
from rich.table import Table

from hutong.light_clients.interface import VerificationError
from tests.nodes.identity.credential_verifiers import running_javascript_verifier, running_verifiers
from tests.relay.services.identity.rules import presentation_corpus as corpus
from tests.relay.services.identity.rules.actors import AUDIENCE, ISSUER_KEY, NONCE, NOW_S, VCT, judged
from tests.relay.services.identity.rules.sd_jwt.test_presentation_corpus import changed

pytestmark = pytest.mark.nodes

STRICT = ("polaris-oid4vp", "openvc-core")
FOR_THE_TABLE = ("sd-jwt", "@sd-jwt", "@sd-jwt, called with care")
"""They accept much that is broken: the first reads no times, types or reserved claims, and 0.19.0 of the other no audience,
type or age, and takes disclosures that no digest names."""
SEED, CHANGES = 20261129, 500


@pytest.fixture(scope="module")
def others():
    with running_verifiers() as running:
        yield running


@pytest.fixture(scope="module")
def javascript():
    with running_javascript_verifier() as running:
        yield running


def ask(others, text):
    return others.ask(
        presentation=text, jwk=ISSUER_KEY.jwk, nonce=NONCE, audience=AUDIENCE, vct=VCT, now=NOW_S, skew=300
    )


def accepts(text):
    try:
        judged(text)
    except VerificationError:
        return False
    return True


def test_what_ours_accepts_the_strictest_accept(others, javascript, capsys):
    wrong, rows = [], []
    for case in (*corpus.honest(), *corpus.attacks()):
        said = ask(others, case.text)
        ours, theirs = case.refused is None, [said[name] is None for name in STRICT]
        if ours and not all(theirs):
            wrong.append(f"{case.name}: ours accepts, and {said}")
        if not ours and all(theirs) and case.ours_alone is None:
            wrong.append(f"{case.name}: both accept, and no row of strictness.md says why ours refuses")
        if case.ours_alone is not None and not any(said[name] is None for name in said):
            wrong.append(f"{case.name}: row {case.ours_alone} is not needed: {said}")
        said |= ask(javascript, case.text)
        rows.append(Row(case.name, case.refused is not None, accepts(case.text), tuple(accepted(said))))
    with capsys.disabled():
        print_table(rows)
    assert not wrong, "\n".join(wrong)
    assert not any(row.is_broken and row.ours for row in rows)


@dataclass(frozen=True)
class Row:
    """A presentation, and who accepts it."""

    name: str
    is_broken: bool
    ours: bool
    others: tuple[str, ...]


def accepted(said):
    return (name for name in (*STRICT, *FOR_THE_TABLE) if said[name] is None)


def print_table(rows):
    broken = [row for row in rows if row.is_broken]
    table = Table(title="broken presentations that somebody accepts", title_justify="left")
    names = (*STRICT, *FOR_THE_TABLE)
    for name in ("presentation", "ours", *names):
        table.add_column(name)
    for row in broken:
        if row.others:
            table.add_row(row.name, "", *("accepts" if name in row.others else "" for name in names))
    counts = Counter(name for row in broken for name in row.others)
    table.add_section()
    table.add_row(f"of {len(broken)}", str(sum(row.ours for row in broken)), *(str(counts[name]) for name in names))
    honest = [row for row in rows if not row.is_broken]
    kept = Counter(name for row in honest for name in row.others)
    table.add_row(
        f"honest, of {len(honest)}", str(sum(row.ours for row in honest)), *(str(kept[name]) for name in names)
    )
    Console(width=140).print("", table)


def test_changed_presentations(others, capsys):
    random, outcomes = Random(SEED), Counter()
    honest = [case.text for case in corpus.honest()]
    for number in range(CHANGES):
        text = changed(honest[number % len(honest)], random)
        ours = accepts(text)
        said = ask(others, text)
        theirs = all(said[name] is None for name in STRICT)
        outcomes[
            f"{'accepted' if ours else 'refused'} by ours, {'accepted' if theirs else 'refused'} by the others"
        ] += 1
        assert not ours or theirs, (number, text, said)
        assert not ours or text in honest
    with capsys.disabled():
        print("\n" + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    assert outcomes["refused by ours, refused by the others"]
