"""Precompiles as consensus code: on no host's OpenSSL, file or flag, and each of them in the self-test."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.prague.computation import PragueComputation
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import ripemd160
from hutong.light_clients.interface.interpreter import OPTIMISED, unfit_interpreter
from hutong.relay.evm.vm import precompiles as own
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.hub.application import self_test
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.application.machine.evm_rules import precompiles
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.self_test import precompile_verdict
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.application.machine.precompile_vectors import INPUTS, evaluations, exponents, signatures
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.simulated_hub import RELAYER, SimulatedHub, address_of, hub_genesis

ROOT = Path(__file__).parents[5]
FORK = {int.from_bytes(address, "big"): run for address, run in PragueComputation.get_precompiles().items()}
TRUE_EVALUATION = next(data for name, data in evaluations())


def address(number: int) -> bytes:
    return number.to_bytes(20, "big")


def answer(hub: SimulatedHub, number: int, data: bytes):
    state = hub.application.state_after(hub.application.blocks.head())
    return state.call(CallMessage(sender=address_of(RELAYER), to=address(number), data=data, gas=1_000_000))


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_audit_H2_a_host_without_ripemd_executes_the_same_block(monkeypatch, version):
    """OpenSSL 3.0.0 to 3.0.6 and FIPS policies leave RIPEMD-160 out: `hashlib.new` then raises ValueError."""

    def app_hash() -> bytes:
        hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
        assert hub.send(address(3), b"hutong").ok
        assert answer(hub, 3, b"hutong").return_data == ripemd160(b"hutong").rjust(32, b"\0")
        return hub.app_hash

    def unsupported(name, *_):
        raise ValueError(f"unsupported hash type {name}")

    here = app_hash()
    monkeypatch.setattr("hashlib.new", unsupported)
    assert app_hash() == here


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_audit_H2_every_precompile_of_every_version_is_in_its_self_test(version):
    names = [name for table in (self_test.CORPORA, self_test.ALSO_RUN) if (name := table.get(version))]
    vectors = [vector for name in names for vector in json.loads(self_test.corpus_file(name))["vectors"]]
    tested: dict[int, set[str]] = {}
    for vector in vectors:
        if vector["algorithm"] == "precompile" and vector["expected"] != "no precompile":
            tested.setdefault(vector["number"], set()).add(vector["expected"])
    assert set(tested) == {int.from_bytes(one, "big") for one in precompiles(version)}
    for number, results in tested.items():
        assert len(results) > 1
        # The first five refuse nothing: an input that is none gives no output, or is one.
        assert ("refused" in results) == (number > 5), hex(number)


@pytest.mark.parametrize("number", sorted(INPUTS))
@pytest.mark.parametrize("version", [1, 3])
def test_a_precompile_that_judges_otherwise_stops_the_start(monkeypatch, version, number):
    def broken(computation):
        computation.output = b"something else"

    monkeypatch.setattr(self_test, "precompiles", lambda one: precompiles(one) | {address(number): broken})
    with pytest.raises(self_test.SelfTestFailed, match=f"precompile 0x{number:02x}: "):
        self_test.run_self_test(version)


@given(st.sampled_from([0x01, 0x02, 0x03, 0x09]), st.binary(max_size=260))
@settings(max_examples=200, deadline=None)
def test_own_precompiles_of_released_rules_answer_as_the_fork(number, data):
    assert precompile_verdict(precompiles(1)[address(number)], data) == precompile_verdict(FORK[number], data)


@given(
    st.sampled_from([one for _, one in signatures() if len(one) == 128]),
    st.integers(0, 127),
    st.integers(0, 255),
    st.integers(0, 200),
)
@settings(max_examples=200, deadline=None)
def test_own_recovery_answers_as_the_fork_beside_valid_signatures(data, place, byte, size):
    changed = (data[:place] + bytes([byte]) + data[place + 1 :])[:size].ljust(size, b"\x01")
    assert precompile_verdict(precompiles(3)[address(1)], changed) == precompile_verdict(FORK[1], changed)


@given(
    *[st.integers(0, 40)] * 3,
    st.binary(max_size=130),
)
@settings(max_examples=300, deadline=None)
def test_modexp_of_version_3_answers_as_the_fork_but_for_empty_bases(base, exponent, modulus, body):
    data = b"".join(size.to_bytes(32, "big") for size in (base, exponent, modulus)) + body
    ours = precompile_verdict(precompiles(3)[address(5)], data)
    if base or modulus == 0:
        assert ours == precompile_verdict(FORK[5], data)
    else:
        power = int.from_bytes(body[:exponent].ljust(exponent, b"\0"), "big")
        value = int.from_bytes(body[exponent : exponent + modulus].ljust(modulus, b"\0"), "big")
        assert int(ours, 16) == (pow(0, power, value) if value else 0)


def test_modexp_answers_one_for_an_empty_base_to_the_power_of_zero_from_version_3_on():
    data = dict(exponents())["empty base to the power of 0 mod 5"]
    for version, expected in ((2, "00"), (3, "01")):
        hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
        assert answer(hub, 5, data).return_data.hex() == expected


NO_DESCRIPTORS = """
import os, resource
from hutong.relay.evm.vm.precompiles import trusted_setup
from hutong.relay.hub.application.machine.evm_rules import precompiles
from hutong.relay.hub.application.self_test import precompile_verdict
trusted_setup()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    os.open(os.devnull, os.O_RDONLY)
except OSError as error:
    print(error.strerror)
print(precompile_verdict(precompiles(1)[bytes(19) + b"\\x0a"], bytes.fromhex("{data}"))[-8:])
"""


@pytest.mark.long
def test_audit_H3_a_true_proof_is_true_when_no_descriptor_is_left():
    program = NO_DESCRIPTORS.format(data=TRUE_EVALUATION.hex())
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["Too many open files", "00000001"], done.stderr[-500:]


@pytest.fixture
def another_setup(tmp_path, monkeypatch):
    """Puts another file in the place of the setup, or none."""
    path = tmp_path / "setup.txt"
    monkeypatch.setattr(own, "TRUSTED_SETUP_PATH", str(path))
    own.trusted_setup.cache_clear()
    self_test.verdict_of.cache_clear()
    yield path
    own.trusted_setup.cache_clear()
    self_test.verdict_of.cache_clear()


@pytest.mark.long
@pytest.mark.parametrize("damaged", [False, True])
def test_audit_H3_without_its_setup_a_node_of_released_rules_does_not_start(tmp_path, another_setup, damaged):
    if damaged:
        text = Path(self_test.__file__).read_bytes()
        another_setup.write_bytes(text)
    home = new_home(tmp_path / "hub")
    (home / "genesis.json").write_bytes(encode_genesis(hub_genesis(rules_version=2)))
    with pytest.raises(NodeRefused, match="is not the setup" if damaged else "cannot be read"):
        open_node(home)


def test_audit_H3_a_setup_that_is_gone_halts_a_node_and_never_refuses_a_proof(another_setup):
    with pytest.raises(own.SetupUnusable):
        precompile_verdict(precompiles(2)[address(0x0A)], TRUE_EVALUATION)


WITHOUT_BLOBS = [one for one in rules_versions.ALL if one >= rules_versions.BOUNDED_EXECUTION]


@pytest.mark.parametrize("version", WITHOUT_BLOBS)
def test_audit_H3_from_version_3_on_there_is_no_point_evaluation(another_setup, version):
    result = answer(SimulatedHub(genesis=hub_genesis(rules_version=version)), 0x0A, TRUE_EVALUATION)
    assert (result.success, result.return_data) == (True, b"")


@pytest.mark.long
def test_audit_H3_rules_without_point_evaluation_need_no_file(tmp_path, another_setup):
    node = open_node(new_home(tmp_path / "hub"))
    node.log.close()
    node.store.close()
    node.signer.close()


@pytest.mark.parametrize("how", ["-O", "PYTHONOPTIMIZE"])
@pytest.mark.parametrize("command", [("hub", "start", "--home", "nowhere"), ("verify", "--help"), ("relay", "--help")])
def test_audit_H3_nothing_that_verifies_starts_without_its_assertions(how, command):
    flags = ("-O",) if how == "-O" else ()
    environment = {**os.environ, **({} if flags else {"PYTHONOPTIMIZE": "1"})}
    run = [sys.executable, *flags, "-m", "hutong.relay.cli", *command]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, done.stdout) == (2, OPTIMISED + "\n", "")


def test_audit_H3_a_node_asks_its_interpreter_too(tmp_path, monkeypatch):
    assert unfit_interpreter(0) is None and unfit_interpreter(2) == OPTIMISED
    monkeypatch.setattr("hutong.relay.hub.application.genesis.unfit_interpreter", lambda: unfit_interpreter(1))
    with pytest.raises(NodeRefused, match="start hutong without it"):
        open_node(new_home(tmp_path / "hub"))


def test_a_fork_without_a_precompile_is_given_none():
    numbers = {int.from_bytes(one, "big") for one in own.FORK_PRECOMPILES.of(ParisComputation.get_precompiles())}
    assert numbers == set(range(1, 10))
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 3
