"""Every file of the conformance vectors, judged by its format (see vector_registry)."""

import os
from collections import Counter

import pytest
from vector_registry import RUNNERS, Manifest

from light_clients.interface import VerificationError

pytestmark = pytest.mark.vectors

EXPECTATIONS = ("valid", "invalid", "cases", "facts")


def judge(manifest: Manifest, entry, libraries: Counter | None = None) -> int:
    """The number of verifications that behaved as the manifest says; fails the test at the first that did not.

    Those that a library judged alone are counted in `libraries` too.
    """
    assert entry.expected in EXPECTATIONS
    count = 0
    try:
        for verification in RUNNERS[entry.format](entry, manifest.group_of(entry)):
            count += 1
            if libraries is not None and verification.library is not None:
                libraries[verification.library] += 1
            if entry.expected == "cases" and not verification.valid:
                with pytest.raises(VerificationError):
                    verification.run()
                continue
            try:
                verification.run()
            except VerificationError as error:
                if entry.expected == "invalid":
                    return count
                pytest.fail(f"{entry.file}: {verification.name}: refused: {error}")
    except VerificationError as error:
        if entry.expected == "invalid":
            return count + 1
        pytest.fail(f"{entry.file}: cannot be read: {error}")
    if entry.expected == "invalid":
        pytest.fail(f"{entry.file}: accepted, but must be refused: {entry.reason}")
    assert count or entry.expected == "facts", f"{entry.file}: nothing was verified"
    return count


def test_vector(vector, record_property):
    if vector is None:
        reason = "no conformance vectors: HUTONG_VECTORS does not name a directory with manifest.json"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    manifest, entry = vector
    for name in ("area", "format", "expected"):
        record_property(f"vector_{name}", getattr(entry, name))
    if entry.format not in RUNNERS:
        pytest.skip(f"format {entry.format} is not supported: {entry.file}")
    libraries: Counter[str] = Counter()
    count = judge(manifest, entry, libraries)
    record_property("verifications", count - libraries.total())
    record_property("libraries", dict(libraries))
