"""Unit, container, compose file and example configuration fit each other and the code."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from hutong.relay.cli.main import app
from hutong.relay.config import parse_config

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs/deploy"
UNIT = (DEPLOY / "hutong.service").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())
EXAMPLE = (DEPLOY / "relay.toml").read_bytes()
README = (DEPLOY / "README.md").read_text()


def directive(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def check_command(words: list[str]) -> None:
    """`hutong` knows the words up to the first option, and the options of that command."""
    command = typer.main.get_command(app)
    while words and not words[0].startswith("-") and hasattr(command, "get_command"):
        found = command.get_command(None, words[0])
        assert found is not None, f"no command {words[0]}"
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("compose", [False, True], ids=["systemd", "compose"])
def test_example_configuration_is_one(compose):
    text = EXAMPLE.decode()
    if compose:
        for row in re.findall(r"^\| `(http = [^`]+)` \| `(http = [^`]+)`", README, re.MULTILINE):
            assert row[0] in text
            text = text.replace(*row)
        text = text.replace("/run/credentials/hutong.service/", "/run/secrets/")
        text = text.replace("[relay]\n", '[relay]\nredis_url = "redis://queue:6379/0"\n')
        assert COMPOSE["services"]["queue"] and 'redis_url = "redis://queue:6379/0"' in README
    config = parse_config(text.encode(), "relay.toml", Path("/etc/hutong"))
    names = {key.password_file.name for chain in config.chains for key in chain.all_keys}
    folders = {str(key.password_file.parent) for chain in config.chains for key in chain.all_keys}
    assert config.relay.home == Path("/var/lib/hutong")
    if compose:
        assert folders == {"/run/secrets"} and names == set(COMPOSE["services"]["relay"]["secrets"])
        assert config.relay.http == "0.0.0.0:9464"
    else:
        assert folders == {"/run/credentials/hutong.service"}
        assert names == {line.partition(":")[0] for line in directive("LoadCredential")}
    for commented in re.findall(r"^# (\w+) =", EXAMPLE.decode(), re.MULTILINE):
        assert commented in type(config.relay).model_fields


def test_unit_runs_a_command_that_there_is_and_gives_it_little():
    (start,) = directive("ExecStart")
    program, *words = start.split()
    assert program == "/opt/hutong/bin/hutong" and "/opt/hutong/bin/pip install" in README
    check_command(words)
    assert words[-1] == "/etc/hutong/relay.toml" and "/etc/hutong/relay.toml" in README
    assert directive("RestartPreventExitStatus") == ["2"], "what cannot start says so with exit code 2"
    assert directive("User") == ["hutong"] and directive("StateDirectory") == ["hutong"]
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert directive(name) == ["yes"], name
    assert directive("ProtectSystem") == ["strict"] and directive("CapabilityBoundingSet") == [""]
    for key in tomllib.loads(EXAMPLE.decode())["chains"]:
        assert f"LoadCredential={Path(key['key']['password_file']).name}:/etc/hutong/credentials/" in UNIT


def test_systemd_takes_the_unit_and_rates_it_well(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / "hutong.service"
    unit.write_text(UNIT.replace("/opt/hutong/bin/hutong", sys.executable))
    verified = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0 and not verified.stderr.strip(), verified.stderr
    rated = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True, timeout=60
    )
    assert rated.returncode == 0, rated.stdout[-200:]
    unit.write_text(UNIT.replace("ProtectSystem=strict", "ProtectSystem=perhaps"))
    wrong = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60)
    assert "perhaps" in wrong.stderr, "it does judge"


def test_image_holds_every_package_runs_as_nobody_and_starts_the_relay():
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2 and all("/" not in image and ":" in image for image in stages)
    copied = {
        name.rstrip("/")
        for line in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    needed |= {link.name for link in (ROOT / "hutong").iterdir() if link.is_symlink()}
    needed |= {"pyproject.toml", "constraints.txt", project["project"]["readme"], *project["project"]["license-files"]}
    assert copied == needed and all((ROOT / name).exists() for name in copied)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*" and {line[1:] for line in ignored if line.startswith("!")} == copied
    for extra in re.search(r"\.\[([^\]]+)\]", DOCKERFILE)[1].split(","):
        assert extra in project["project"]["optional-dependencies"]
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE) and "10001:10001" in README
    assert 'ENTRYPOINT ["hutong"]' in final
    check_command(yaml.safe_load(re.search(r"^CMD (\[.*\])$", final, re.MULTILINE)[1]))
    assert "EXPOSE 9464" in final and "127.0.0.1:9464/healthz" in final


def test_compose_file_names_files_networks_and_ports_that_exist():
    services = COMPOSE["services"]
    relay = services["relay"]
    assert (DEPLOY / relay["build"]["context"]).resolve() == ROOT
    assert (ROOT / relay["build"]["dockerfile"]).is_file()
    assert relay["read_only"] and relay["cap_drop"] == ["ALL"] and relay["expose"] == ["9464"]
    ours_to_make = {"./relay.toml", "./keys"}
    for name, service in services.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert "latest" not in service["image"]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert source in ours_to_make or (DEPLOY / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), "nothing is open to the world"
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    assert job["job_name"] == "hutong" and job["static_configs"] == [{"targets": ["relay:9464"]}]
    assert all((DEPLOY / "prometheus" / name).is_file() for name in scraped["rule_files"])
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/hutong.yml").read_text())["providers"]
    assert f"{provider['options']['path']}/hutong.json" in mounted
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/hutong.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in services


def test_parity_row_30_kubernetes_probes_ask_alive_and_ready_apart():
    service, relay = yaml.safe_load_all((DEPLOY / "kubernetes.yml").read_text())
    assert service["spec"]["publishNotReadyAddresses"], "metrics of a relay that lacks a chain are wanted most"
    assert relay["spec"]["replicas"] == 1
    pod = relay["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 9464}]
    check_command(container["args"])
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in relay["spec"]["volumeClaimTemplates"]}
    for one in (*pod["initContainers"], container):
        assert one["securityContext"]["readOnlyRootFilesystem"] and one["image"] == "hutong"
        assert {mount["name"] for mount in one["volumeMounts"]} <= volumes
    assert pod["securityContext"]["runAsUser"] == 10001, "as the image"
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/var/lib/hutong", "/etc/hutong/relay.toml", "/etc/hutong/keys", "/run/secrets/hutong"} == mounted - {
        "/tmp"
    }
    for volume in pod["volumes"]:
        made = volume.get("secret", {}).get("secretName") or volume.get("configMap", {}).get("name")
        assert made is None or f" {made} " in README, made


def test_commands_of_the_pages_exist():
    """Those of the pages that CI cannot run as printed: the words of every `hutong …`."""
    pages = [DEPLOY / "README.md", *(ROOT / "docs/handbook").glob("*.md")]
    found = 0
    for page in pages:
        for line in re.findall(
            r"(?:^|`|/bin/)hutong ((?:[a-z-]+ ?)+(?:--[a-z-]+ [^`\n]*)?)", page.read_text(), re.MULTILINE
        ):
            words = line.split()
            if words[0] in ("relay", "keys", "config", "client", "path", "why", "show", "pending", "deploy", "audit"):
                check_command(words)
                found += 1
    assert found >= 15
