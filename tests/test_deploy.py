"""Compose and Kubernetes in `deploy/`, and two real servers that are started with the options that stand there."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from conftest import PATIENCE, ROOT, Server, free_port, is_up, wait_until
from invalid_inputs import GOOD
from programs import program

from irislib import healthcheck
from irislib._common.routes import ROUTES
from irislib._common.settings import SETTINGS

COMPOSE = ROOT / "deploy" / "compose"
PROXIES = COMPOSE.parent / "proxies"
KUBERNETES = ROOT / "deploy" / "kubernetes"
TOKEN = "a-token"  # noqa: S105
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
OURS = ("app", "endpoint", "train")  # the services that run irislib
VARIABLES = {setting.variable for setting in SETTINGS.values() if setting.variable}
# Of others: of the AWS libraries and of Python.
FOREIGN = {"HOME", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secrets") / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture(scope="module")
def servers(
    compose: dict[str, Any], token_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """The app and the endpoint, with the options that they have in the Compose file."""
    folder, running = tmp_path_factory.mktemp("deployed"), {}
    for name in ("app", "endpoint"):
        service = compose["services"][name]
        options = [resolve(text, ENDPOINT_WORKERS="1") for text in service["command"]]
        options[options.index("/run/secrets/token")] = str(token_file)
        environment = {"IRISLIB_HEALTH_FILE": str(folder / f"{name}-health"), "HOME": str(folder)}
        running[name] = Server(folder / name, *options, cwd=folder, **environment)
    yield {name: server.wait() for name, server in running.items()}
    for server in running.values():
        assert server.stop() == 0


def resolve(text: str, **values: str) -> str:
    """Put values in the place of the variables of a Compose file."""
    for name, value in values.items():
        if text.startswith(f"${{{name}:"):
            return value
    return text


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Caddy with the Caddyfile, before an app and an endpoint, and return its address."""
    running: list[subprocess.Popen[bytes]] = []

    def start(app: str, endpoint: str) -> str:
        folder, port = tmp_path_factory.mktemp("caddy"), free_port()
        environment = {"APP": app, "ENDPOINT": endpoint, "DOMAIN": f"http://127.0.0.1:{port}", "HOME": str(folder),
                       "PAGES": str(PROXIES)}  # fmt: skip
        command = [program("caddy"), "run", "--config", str(COMPOSE / "Caddyfile"), "--adapter", "caddyfile"]
        with (folder / "log").open("wb") as log:
            environment["CADDY_ADMIN"] = f"127.0.0.1:{free_port()}"
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        wait_until(lambda: is_up(f"http://127.0.0.1:{port}/"), (folder / "log").read_text)
        return f"http://127.0.0.1:{port}"

    yield start
    for process in running:
        process.terminate()
        process.wait()


def test_the_compose_file_is_valid_and_complete(compose: dict[str, Any]) -> None:
    from check_jsonschema.builtin_schemas import get_builtin_schema
    from jsonschema import validators

    schema = get_builtin_schema("vendor.compose-spec")
    assert not list(validators.validator_for(schema)(schema).iter_errors(compose))
    services = compose["services"]
    recipe = (ROOT / "Dockerfile").read_text()
    for name in OURS:
        build = services[name]["build"]
        assert all(f"\nARG {argument}" in recipe for argument in build["args"])
        assert f" AS {build.get('target', 'app')}\n" in recipe
    for name, service in services.items():
        for other, dependency in service.get("depends_on", {}).items():
            healthy = dependency["condition"] == "service_healthy"
            assert "healthcheck" in services[other] if healthy else services[other]["restart"].startswith("on-failure")
        assert {*service["networks"]} <= {*compose["networks"]}
        assert {*service.get("secrets", ())} <= {*compose["secrets"]}
        volumes = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        for volume in volumes:
            assert volume in compose["volumes"] or (COMPOSE / volume).is_file(), (name, volume)
    example = dict(line.split("=") for line in (COMPOSE / ".env.example").read_text().splitlines() if line[0] != "#")
    asked = {text.partition(":")[0] for text in (COMPOSE / "compose.yaml").read_text().split("${")[1:]}
    assert {*example} <= asked
    assert asked <= {*example, "HTTP_PORT", "HTTPS_PORT"}


def test_each_container_is_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["restart"], name
        assert not service.get("privileged")
        assert name == "proxy" or not service.get("ports"), name
        assert name == "proxy" or service["user"] == "1000:1000", name
    assert compose["networks"]["back"] == {"internal": True}
    assert compose["services"]["store"]["networks"] == ["back"]
    assert compose["services"]["proxy"]["networks"] == ["front"]


def test_only_one_service_trains_and_the_others_wait_for_it(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["train"]["command"] == ["train", "--if-needed"]
    assert {*services["train"]["depends_on"]} == {"store"}
    for name in ("app", "endpoint"):
        assert services[name]["depends_on"] == {"train": {"condition": "service_completed_successfully"}}
        assert services[name]["environment"] == services["train"]["environment"]


def test_each_variable_of_ours_is_a_setting(compose: dict[str, Any]) -> None:
    for name in OURS:
        assert {*compose["services"][name]["environment"]} <= VARIABLES | FOREIGN


class Stub(BaseHTTPRequestHandler):
    """Answer with the name of the server that was asked."""

    def answer(self) -> None:
        body = self.server.name.encode()  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Write no log."""


def test_the_proxy_sends_what_programs_post_to_the_endpoint_and_all_else_to_the_app_and_says_if_both_are_away(
    proxy: Any,
) -> None:
    stubs = {}
    for name in ("app", "endpoint"):
        stubs[name] = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        stubs[name].name = name  # type: ignore[attr-defined]
        threading.Thread(target=stubs[name].serve_forever, daemon=True).start()
    url = proxy(*(f"127.0.0.1:{stub.server_port}" for stub in stubs.values()))
    wanted = {
        (route.method, route.path): "endpoint" if route.method == "POST" and not route.needs_token else "app"
        for route in ROUTES
    }
    wanted |= {("POST", path): "app" for path in ("/login", "/voila/api/shutdown/1", "/api/kernels/1/interrupt")}
    wanted |= {("GET", path): "app" for path in ("/login", "/voila/static/main.js", "/api/kernels/1/channels")}
    wanted |= {("OPTIONS", path): "endpoint" for path in ("/<name>", "/<name>/batch")}
    for (method, path), name in wanted.items():
        for variable, value in {"<name>": "wine", "<insight>": "importance", "<run>": "1"}.items():
            path = path.replace(variable, value)
        assert requests.request(method, f"{url}{path}", timeout=60).text == name, (method, path)
    for stub in stubs.values():
        stub.shutdown()
        stub.server_close()
    page = requests.get(f"{url}/wine", headers={"Accept": "text/html"}, timeout=60)
    assert (page.status_code, page.text) == (502, (PROXIES / "unreachable.html").read_text())
    problem = requests.post(f"{url}/wine", timeout=60)
    assert (problem.status_code, problem.headers["Content-Type"]) == (502, "application/problem+json")
    assert problem.json()["detail"] == "No server answers. Try again in a moment."
    assert problem.headers["Retry-After"] == page.headers["Retry-After"] == "10"


def test_pages_and_answers_come_from_one_address(
    servers: dict[str, Server], proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = proxy(*(server.url.removeprefix("http://") for server in servers.values()))
    page = requests.get(f"{url}/iris-wizard", headers=HEADERS, timeout=60)
    assert page.status_code == 200
    assert page.headers["Server"].endswith("irislib")
    assert "<html" in page.text
    answer = requests.post(f"{url}/iris-wizard", data=GOOD, headers=HEADERS, timeout=60)
    assert answer.json() == "virginica"
    assert answer.headers["Server"].endswith("gunicorn")  # the endpoint's
    for path in ("/iris-wizard", "/iris-wizard/schema"):
        assert requests.get(f"{url}{path}", timeout=60, allow_redirects=False).status_code in {302, 401, 403}
    assert requests.post(f"{url}/iris-wizard", data=GOOD, timeout=60).status_code == 401
    for name, server in servers.items():  # and each is healthy for Compose
        monkeypatch.setenv("IRISLIB_HEALTH_FILE", str(server.log.with_name(f"{name}-health")))
        assert healthcheck.main() == 0


def test_an_endpoint_with_tls_of_its_own_is_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=apps.example.org", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([program("openssl"), *new, *names], check=True, capture_output=True, timeout=PATIENCE)
    monkeypatch.setenv("IRISLIB_HEALTH_FILE", str(tmp_path / "health"))
    server = Server(tmp_path / "log", "api", "--certfile", str(certificate), "--keyfile", str(key))
    try:
        wait_until(lambda: server.process.poll() is not None or healthcheck.main() == 0, server.text)
        assert server.process.poll() is None, server.text()
        assert (tmp_path / "health").read_text() == f"https://127.0.0.1:{server.port}/healthz"
    finally:
        assert server.stop() == 0


@pytest.fixture(scope="module", params=["bucket", "volume"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """What `kubectl apply` would send, of each kind of store."""
    folder = tmp_path_factory.mktemp("kubernetes") / "deploy"
    shutil.copytree(KUBERNETES, folder)
    overlay = folder / request.param
    (overlay / "token").write_text(TOKEN)
    for example in overlay.glob("*.example"):
        shutil.copy(example, example.with_suffix(""))
    command = [program("kubectl"), "kustomize", str(overlay)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(folder)}, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return Cluster(list(yaml.safe_load_all(done.stdout)))


class Cluster:
    """The objects of a rendered folder."""

    def __init__(self, objects: list[dict[str, Any]]):
        self.objects = objects

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the objects of a kind, by name."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    @property
    def pods(self) -> dict[str, dict[str, Any]]:
        """The templates of the pods, by the name of what makes them."""
        makers = {**self.of("Deployment"), **self.of("Job")}
        return {name: maker["spec"]["template"] for name, maker in makers.items()}

    def select(self, labels: dict[str, str]) -> list[str]:
        """Return the names of the pods that have these labels."""
        return [name for name, pod in self.pods.items() if labels.items() <= pod["metadata"]["labels"].items()]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def test_kubernetes_objects_are_valid_and_in_one_namespace(cluster: Cluster) -> None:
    import kubernetes_validate

    version = kubernetes_validate.latest_version()
    for each in cluster.objects:
        kubernetes_validate.validate(each, version, strict=True)
    assert {each["metadata"].get("namespace", "irislib") for each in cluster.objects} == {"irislib"}
    assert [*cluster.of("Namespace")] == ["irislib"]


def test_pods_keep_to_the_restricted_profile(cluster: Cluster) -> None:
    assert (
        cluster.of("Namespace")["irislib"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    for pod in cluster.pods.values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & {*spec}
        assert spec["automountServiceAccountToken"] is False
        # a Service called irislib would set IRISLIB_PORT to its address
        assert spec["enableServiceLinks"] is False
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "secret", "persistentVolumeClaim"}
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert container["resources"]["requests"]["cpu"]
            assert container["resources"]["requests"]["memory"]
            assert container["resources"]["limits"]["memory"]
            assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]  # noqa: S108


def test_what_one_object_names_is_there(cluster: Cluster) -> None:
    accounts, claims = cluster.of("ServiceAccount"), cluster.of("PersistentVolumeClaim")
    for pod in cluster.pods.values():
        assert pod["spec"]["serviceAccountName"] in accounts
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        for volume in volumes.values():
            assert volume.get("secret", {}).get("secretName") in {None, *cluster.of("Secret")}
            assert volume.get("persistentVolumeClaim", {}).get("claimName") in {None, *claims}
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= {*volumes}
            for source in container["envFrom"]:
                (reference,) = source.values()
                kind = "ConfigMap" if "configMapRef" in source else "Secret"
                assert {*cluster.of(kind)[reference["name"]]["data"]} <= VARIABLES | FOREIGN
    for name, service in cluster.of("Service").items():
        assert cluster.select(service["spec"]["selector"]) == [name]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in [port["name"] for port in cluster.pods[name]["spec"]["containers"][0]["ports"]]
    for rule in cluster.of("Ingress")["irislib"]["spec"]["rules"]:
        assert rule["host"] in cluster.of("Ingress")["irislib"]["spec"]["tls"][0]["hosts"]
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            names = [port["name"] for port in cluster.of("Service")[service["name"]]["spec"]["ports"]]
            assert service["port"]["name"] in names
    for name, budget in cluster.of("PodDisruptionBudget").items():
        assert cluster.select(budget["spec"]["selector"]["matchLabels"]) == [name]
    for scaler in cluster.of("HorizontalPodAutoscaler").values():
        target = scaler["spec"]["scaleTargetRef"]
        deployment = cluster.of(target["kind"])[target["name"]]
        assert "replicas" not in deployment["spec"]  # each `kubectl apply` would set it back
    assert {*cluster.of("PodDisruptionBudget")} == {*cluster.of("Service")} == {*cluster.of("Deployment")}


def test_the_network_is_closed_but_for_what_the_pods_need(cluster: Cluster) -> None:
    policies = {name: policy["spec"] for name, policy in cluster.of("NetworkPolicy").items()}
    assert policies.pop("deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ports = {"http", 53, 443}
    for policy in policies.values():
        for rule in (*policy.get("ingress", ()), *policy.get("egress", ())):
            assert rule.get("from") or rule.get("to")
            assert {port["port"] for port in rule["ports"]} <= ports
    assert cluster.select(policies["serve"]["podSelector"]["matchLabels"]) == [*cluster.of("Service")]
    if "bucket" in policies:
        assert {*cluster.select(policies["bucket"]["podSelector"]["matchLabels"])} == {*cluster.pods}
    assert ("bucket" in policies) == (not cluster.of("PersistentVolumeClaim"))


def test_kubernetes_and_compose_start_the_same_programs(cluster: Cluster, compose: dict[str, Any]) -> None:
    for name in OURS:
        container, service = cluster.pods[name]["spec"]["containers"][0], compose["services"][name]
        expected = [resolve(text, ENDPOINT_WORKERS="2") for text in service["command"]]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        folder = mounts.get("token", "/run/secrets")
        assert [text.replace(folder, "/run/secrets") for text in container["args"]] == expected
        repository, _, tag = container["image"].rpartition("/")[2].partition(":")
        assert repository == service["image"]
        assert tag
        (file,) = [secret["data"] for secret in cluster.of("Secret").values() if "token" in secret["data"]]
        assert {*file} == {"token"}
    for name in cluster.of("Deployment"):
        spec = cluster.pods[name]["spec"]
        (waiting,) = spec["initContainers"]
        assert (waiting["args"], waiting["image"]) == (["train", "--check"], spec["containers"][0]["image"])
        patience = int(compose["services"][name]["stop_grace_period"].removesuffix("s"))
        pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] >= patience + pause


def test_each_probe_is_answered_by_address_and_without_the_token(cluster: Cluster, servers: dict[str, Server]) -> None:
    for name, server in servers.items():
        container = cluster.pods[name]["spec"]["containers"][0]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container[kind]["httpGet"]
            assert probe["port"] in [port["name"] for port in container["ports"]]
            assert server.get(probe["path"], headers={"Host": "10.1.2.3:5000"}).status_code == 200, (name, kind)
        annotations = cluster.pods[name]["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == str(container["ports"][0]["containerPort"])
        assert server.get(annotations["prometheus.io/path"]).status_code == 401
        assert server.get(annotations["prometheus.io/path"], headers=HEADERS).status_code == 200
