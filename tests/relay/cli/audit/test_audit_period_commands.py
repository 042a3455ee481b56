"""`hutong audit replay`, `diff` and `explain`: exit codes, what is printed, several processes, and no socket."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.audit.command import app
from tests.relay.audit.simulated_period import Period, encoded

DELIVERIES = 80
NO_NETWORK = """
import socket, sys
def refuse(*arguments, **options):
    raise SystemExit("the audit opened a socket")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from hutong.relay.cli.main import main
sys.argv[0] = "hutong"
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`bundles`, checkpoints, and `now`."""
    made = tmp_path_factory.mktemp("period")
    period = Period()
    (made / "bundles").mkdir()
    for name, data in encoded(period, DELIVERIES, batch=20):
        (made / "bundles" / name).write_bytes(data)
    for checkpoint in period.checkpoints:
        (made / f"{checkpoint.chain_id}.checkpoint.json").write_bytes(encode_checkpoint(checkpoint))
    (made / "now").write_text(str(period.now_ns // 10**9))
    return made


def trust(folder: Path) -> list[str]:
    roots = [part for path in sorted(folder.glob("*.checkpoint.json")) for part in ("--checkpoint", str(path))]
    return [*roots, "--now", (folder / "now").read_text()]


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def damaged(folder, tmp_path):
    """The same with a changed, a removed and a copied delivery."""
    bundles = tmp_path / "damaged"
    bundles.mkdir()
    for path in (folder / "bundles").iterdir():
        (bundles / path.name).symlink_to(path)
    changed = bytearray((bundles / "1001-client-0-7.bundle.json").read_bytes())
    changed[-500] ^= 1
    (bundles / "1001-client-0-7.bundle.json").unlink()
    (bundles / "1001-client-0-7.bundle.json").write_bytes(changed)
    (bundles / "1002-client-0-8.bundle.json").unlink()
    (bundles / "copy.bundle.json").symlink_to(folder / "bundles" / "1001-client-0-9.bundle.json")
    return bundles


@pytest.mark.long
def test_two_processes_without_a_network_say_what_one_says(folder):
    command = [sys.executable, "-c", NO_NETWORK, "audit", "replay", folder / "bundles", *trust(folder), "--json"]
    done = subprocess.run(list(map(str, [*command, "--jobs", "2"])), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    assert done.stderr == ""  # no bar where no terminal is
    alone = run("replay", folder / "bundles", *trust(folder), "--json", "--jobs", "1")
    assert alone.exit_code == 0 and json.loads(alone.stdout) == json.loads(done.stdout)
    assert json.loads(alone.stdout)["summary"]["deliveries"] == DELIVERIES


def test_clean_period_in_words(folder):
    result = run("replay", folder / "bundles", *trust(folder), "--jobs", "1")
    assert result.exit_code == 0
    assert "route 1001 > hutong-1 > 1002: 40 deliveries" in result.stdout
    assert "sent over hutong-1/bft-evm-0: 1 to 40, 40 proven, none missing between" in result.stdout
    assert "no more home than sent" in result.stdout and "clean" in result.stdout


@pytest.mark.long
def test_damage_is_named_told_apart_and_explained(folder, damaged, tmp_path):
    result = run("replay", damaged, *trust(folder), "--jobs", "1")
    assert result.exit_code == 1
    for line in (
        "refused  1001-client-0-7.bundle.json",
        "missing  1002/client-0/8",
        "duplicate  1001-client-0-9",
        "3 findings",
    ):
        assert line in result.stdout
    whole = tmp_path / "whole.json"
    whole.write_text(run("replay", folder / "bundles", *trust(folder), "--jobs", "1", "--json").stdout)
    differs = run("diff", whole, damaged, *trust(folder), "--jobs", "1", "--json")
    assert differs.exit_code == 1
    found = json.loads(differs.stdout)
    assert set(found["only_a"]) == {
        "1001/client-0/7",
        "1002/client-0/8",
        "hutong-1/bft-evm-1/7",
        "hutong-1/bft-evm-0/8",
    }
    assert not found["same"] and found["only_b"] == []
    assert "only in A  1001/client-0/7" in run("diff", whole, damaged, *trust(folder), "--jobs", "1").stdout
    assert run("diff", whole, whole).exit_code == 0
    page = tmp_path / "report.html"
    assert run("explain", whole, "--html", page).exit_code == 0
    assert "Nothing was found." in page.read_text()
    assert run("explain", damaged, "--html", page, *trust(folder), "--jobs", "1").exit_code == 1
    assert "1002/client-0/8" in page.read_text() and "3 findings." in page.read_text()


def test_expected_packets(folder, tmp_path):
    books = tmp_path / "books.txt"
    books.write_text("# ours\n1001/client-0/1\n1001/client-0/41  # after the period\n")
    result = run("replay", folder / "bundles", *trust(folder), "--jobs", "1", "--expect", books)
    assert result.exit_code == 1 and "1001/client-0/41" in result.stdout and "1 finding" in result.stdout
    books.write_text("1001/client-0/1\n\nnonsense\n")
    refused = run("replay", folder / "bundles", *trust(folder), "--expect", books)
    assert refused.exit_code == 2 and "line 3" in refused.stderr
    books.write_text("alpha/client-0/1\n")  # as its relay calls the chain: it would be taken for an absent packet
    refused = run("replay", folder / "bundles", *trust(folder), "--expect", books)
    assert refused.exit_code == 2 and "no checkpoint is of chain alpha" in refused.stderr and "1001" in refused.stderr


@pytest.mark.long
def test_a_folder_of_checkpoints_is_all_of_them(folder):
    one_by_one = run("replay", folder / "bundles", *trust(folder), "--now", "2026-01-01T01:00:00Z", "--json")
    together = run("replay", folder / "bundles", "--checkpoint", folder, "--now", "2026-01-01T01:00:00Z", "--json")
    assert together.stdout == one_by_one.stdout and together.exit_code == one_by_one.exit_code
    refused = run("replay", folder / "bundles", "--checkpoint", folder / "bundles")
    assert refused.exit_code == 2 and "holds no *.checkpoint.json" in refused.stderr


def test_checkpoints_that_a_shell_gave_as_bundles(folder):
    refused = run(
        "verify", next((folder / "bundles").iterdir()), "--checkpoint", *sorted(folder.glob("*.checkpoint.json"))
    )
    assert refused.exit_code == 2 and "write --checkpoint before each, or once before their folder" in refused.stderr


def test_entries_that_are_no_files_or_no_text_do_not_stop_the_rest(folder, damaged):
    (damaged / "folder.bundle.json").mkdir()
    os.mkfifo(damaged / "pipe.bundle.json")
    (damaged / "gone.bundle.json").symlink_to(damaged / "nowhere")
    with open(os.fsencode(damaged) + b"/\xff.bundle.json", "wb") as file:
        file.write(b"{}")
    result = run("replay", damaged, *trust(folder), "--jobs", "1", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1 and found["summary"]["unreadable"] == 3 and found["summary"]["refused"] == 2
    page = damaged / "report.html"
    (damaged / "replay.json").write_text(result.stdout)
    assert run("explain", damaged / "replay.json", "--html", page).exit_code == 1
    assert "\\udcff" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "{folder}/nowhere", "{trust}"), "neither a folder"),
        (("replay", "{folder}", "{trust}"), "holds no"),
        (("replay", "{folder}/bundles", "--checkpoint", "{folder}/now"), "malformed checkpoint"),
        (
            ("replay", "{folder}/bundles", "--checkpoint", "{folder}/1001.checkpoint.json", "--jobs", "1"),
            "no checkpoint of chain",
        ),
        (("replay", "{folder}/bundles", "{trust}", "--checkpoint", "{folder}/1001.checkpoint.json"), "two checkpoints"),
        (("diff", "{folder}/now", "{folder}/bundles", "{trust}"), "malformed replay"),
        (("diff", "{folder}/bundles", "{folder}/bundles"), "give a --checkpoint"),
        (
            ("explain", "{folder}/bundles", "{trust}", "--jobs", "1", "--html", "{folder}/no/where.html"),
            "cannot be written",
        ),
    ],
)
def test_unusable_input_is_one_sentence(folder, arguments, said):
    filled = []
    for argument in arguments:
        filled += trust(folder) if argument == "{trust}" else [argument.format(folder=folder)]
    result = run(*filled)
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1


def edited(folder, change):
    """A result file of the damaged period, changed by whoever presents it."""
    document = json.loads((folder / "damaged.json").read_text())
    change(document)
    path = folder / "edited.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def result(folder, damaged, tmp_path):
    """A folder with the result file of the damaged period."""
    found = run("replay", damaged, *trust(folder), "--jobs", "1", "--json")
    (tmp_path / "damaged.json").write_text(found.stdout)
    return tmp_path


def without_findings(document):
    document["findings"], document["clean"] = [], True
    document["summary"]["findings"] = 0


@pytest.mark.parametrize("command", ["explain", "diff"])
def test_trial_T2_a_result_whose_findings_were_taken_out_is_refused(result, command):
    forged = edited(result, without_findings)
    rest = ["--html", result / "page.html"] if command == "explain" else [forged]
    refused = run(command, forged, *rest)
    assert refused.exit_code == 2
    assert "replay.findings" in refused.stderr
    assert not (result / "page.html").exists()


def test_trial_T2_each_conclusion_follows_from_the_entries(result):
    def without_gap(document):
        for client in document["clients"]:
            client["gaps"] = []

    def more_sent(document):
        document["chains"][0]["sent"] += 1

    def without_missing(document):
        document["findings"] = [one for one in document["findings"] if one["kind"] != "missing"]

    def without_duplicate(document):
        document["findings"] = [one for one in document["findings"] if one["kind"] != "duplicate"]

    for change in (without_gap, more_sent, without_missing, without_duplicate):
        assert run("diff", edited(result, change), result / "damaged.json").exit_code == 2, change


def test_trial_T2_a_result_file_is_never_called_judged(result, folder):
    explained = run("explain", result / "damaged.json", "--html", result / "page.html")
    assert explained.exit_code == 1
    assert explained.stdout.startswith("not judged here: damaged.json is a result file")
    page = (result / "page.html").read_text()
    assert "Nothing was judged for this page." in page and "was believed" not in page
    compared = run("diff", result / "damaged.json", result / "damaged.json")
    assert compared.stdout.startswith("not judged here: damaged.json")
    found = json.loads(run("diff", result / "damaged.json", result / "damaged.json", "--json").stdout)
    assert found["not_judged_here"] == ["damaged.json", "damaged.json"]
    judged = run("explain", folder / "bundles", *trust(folder), "--jobs", "1", "--html", result / "page.html")
    assert judged.exit_code == 0 and "not judged" not in judged.stdout
    page = (result / "page.html").read_text()
    assert "Nothing was judged" not in page and "No statement of whoever presented the evidence was believed" in page
