"""The registry's side: key ceremony, the running registry, bundles published through the pipeline's own script."""

import json
import os
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / ".build/debug"
SPEECH = ROOT / "fixtures/asr"
MODEL = "commands-en"


class CommandFailed(Exception):
    def __init__(self, words: list[str], code: int, errors: str):
        super().__init__(f"{' '.join(words)}: exit {code}: {errors.strip()[-600:]}")
        self.code = code
        self.errors = errors.strip()


class Registry:
    """A ceremony's folder and the registry that was made from it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process: subprocess.Popen | None = None
        self.url = ""
        # What policies say of the turns of a device's own watch, where it is not what their templates say.
        self.watch = "turns: 40, least_turns: 40"
        self.environment = {
            **os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "FIELDFARE_PASSPHRASE": secrets.token_urlsafe(18), "FIELDFARE_CA": str(folder / "cert.pem"),
            "FIELDFARE_ROOT": str(folder / "root.json"),
        }

    # The command line

    def run(self, *words, **more) -> str:
        """Runs a program to its end and returns what it printed."""
        words = [str(word) for word in words]
        result = subprocess.run(words, cwd=self.folder, env={**self.environment, **more}, capture_output=True, text=True)
        if result.returncode:
            raise CommandFailed(words, result.returncode, result.stderr or result.stdout)
        return result.stdout

    def cli(self, *words) -> dict:
        """`fieldfare ... --json`: the last line that it prints."""
        output = self.run("fieldfare", *words, "--json")
        return json.loads(output.strip().splitlines()[-1])

    def exit_code(self, *words) -> int:
        try:
            self.cli(*words)
        except CommandFailed as failure:
            return failure.code
        return 0

    # Ceremony and start

    def hold_ceremony(self) -> None:
        """Offline root (2 of 3), targets, two release keys of which both must sign, and the registry's own three."""
        for name in ("root-a", "root-b", "root-c", "targets", "ci", "anna"):
            self.cli("keys", "generate", name, "--out", "keys")
        online = self.run("fieldfare-registry", "keys", "generate", "--keys", "online")
        (self.folder / "online.json").write_text(online, encoding="utf-8")
        roots = [word for letter in "abc" for word in ("--root-key", f"keys/root-{letter}.json")]
        self.cli("repo", "init", "--dir", "repo", *roots, "--targets-key", "keys/targets.json", "--online", "online.json",
                 "--model", MODEL, "--release-key", "keys/ci.json", "--release-key", "keys/anna.json",
                 "--release-threshold", "2")
        for role, key in (("root", "root-a"), ("root", "root-b"), ("targets", "targets")):
            self.cli("repo", "sign", role, "--dir", "repo", "--key", f"keys/{key}.json", "--yes")
        shutil.copy(self.folder / "repo/root.json", self.folder / "root.json")

    def make_certificate(self) -> None:
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
                 "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")

    def start(self) -> None:
        """Starts the registry over HTTPS with an empty store, and hands it the ceremony's metadata."""
        admin = self.run("fieldfare-registry", "token", "create", "--data", "data", "--scope", "admin")
        self.environment["FIELDFARE_TOKEN"] = json.loads(admin)["token"]
        self.serve(0)
        self.cli("repo", "push", "--dir", "repo")

    def serve(self, port: int) -> None:
        with open(self.folder / "registry.log", "ab") as log:
            self.process = subprocess.Popen(
                ["fieldfare-registry", "serve", "--data", "data", "--keys", "online", "--port", str(port),
                 "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--controller-interval", "1"],
                cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        port = json.loads(self.process.stdout.readline())["port"]
        self.url = f"https://127.0.0.1:{port}"
        self.environment["FIELDFARE_SERVER"] = self.url

    def restart_with(self, keys: Path) -> None:
        """The same registry at the same place, with other keys of its own."""
        self.stop()
        for key in keys.iterdir():
            shutil.copy(key, self.folder / "online")
        self.serve(int(self.url.rpartition(":")[2]))

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # Publishing

    def write_bundle(self, version: str, model: str, tokens: str, timeout_ms: int, may_loop: bool, floor: str = "") -> Path:
        """A bundle's folder as its owner keeps it: `manifests/bundle.yaml` with files of `fixtures/asr`."""
        bundle = self.folder / f"bundle-{version}"
        shutil.copytree(SPEECH / "utterances", bundle / "utterances")
        for file in (SPEECH / f"models/{model}/model.onnx", SPEECH / f"models/{tokens}", SPEECH / "model-card.json",
                     ROOT / "manifests/io.schema.json", ROOT / "manifests/telemetry.schema.json"):
            shutil.copy(file, bundle)
        # A release's own card: so that every release has a file that no device has yet.
        card = json.loads((bundle / "model-card.json").read_text(encoding="utf-8"))
        card["limits"] += f" (Release {version} of the demonstration.)"
        (bundle / "model-card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
        text = (ROOT / "manifests/bundle.yaml").read_text(encoding="utf-8")
        text = text.replace("version: 1.0.0", f"version: {version}").replace("timeout_ms: 10000", f"timeout_ms: {timeout_ms}")
        if may_loop:
            text = text.replace("# allow_operators", "allow_operators")
        if floor:
            text = text.replace("# rollback_floor: 1.0.0", f"rollback_floor: {floor}")
        (bundle / "bundle.yaml").write_text(text, encoding="utf-8")
        return bundle

    def write_policy(self, template: str, version: str, replaces: str, beta: int, control: int,
                     patience: str = "50s") -> Path:
        """A policy from its template; `beta` and `control` are the least number of each cohort's devices in the first stage
        and held back, `patience` how long the last stage waits for its evidence."""
        text = (Path(__file__).parent / template).read_text(encoding="utf-8")
        path = self.folder / f"rollout-{version}.yaml"
        text = text.replace("@VERSION@", version).replace("@REPLACES@", replaces).replace("@BETA@", str(beta))
        text = text.replace("@CONTROL@", str(control)).replace("@PATIENCE@", patience)
        text = text.replace("turns: 40, least_turns: 40", self.watch)
        path.write_text(text, encoding="utf-8")
        return path

    def publish(self, version: str, policy: Path, token: str, **more: Path) -> dict:
        """The shell steps of deploy/ci, as the pipeline that has the CI key and a token with the scope publish.

        `more`: further policies of the same release, by their names.
        """
        policies = [f"{name}={path}" for name, path in {"standard": policy, **more}.items()]
        output = self.run(
            ROOT / "deploy/ci/publish.sh", f"bundle-{version}", f"build-{version}", *policies,
            FIELDFARE_TOKEN=token, FIELDFARE_KEY="keys/ci.json", SOURCE_DATE_EPOCH="1764000000")
        return json.loads(output.strip().splitlines()[-1])

    def sign_release(self) -> dict:
        """The second person looks at the difference and signs it."""
        return self.cli("repo", "sign", f"model.{MODEL}", "--key", "keys/anna.json", "--yes")

    # Rollouts

    def create(self, version: str) -> None:
        """An update's rollout. Foreseen from 40 turns a day, stages of seconds show nothing: that is known here."""
        self.cli("rollout", "create", MODEL, version, "--acknowledge-warnings")

    # Looking

    def rollout(self) -> dict:
        return self.cli("rollout", "status", MODEL)

    def get(self, path: str) -> bytes:
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        with urllib.request.urlopen(self.url + path, context=context, timeout=20) as answer:
            return answer.read()

    def wait_for_signs_of_life(self) -> None:
        for _ in range(100):
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
