"""What does a person do with a cluster from this folder?

The Makefile's targets call ``python -m ci.cluster``. It only calls kind, minikube, docker and
kubectl, and says which of them is missing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ci.cluster_deploy import deploy, overlays, pin
from ci.cluster_user import add_user, default_file, suggestions
from ci.images import recipes
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError, WarrantError
from modelwarrant.stage.exits import exit_code

__all__ = ["KFP", "Place", "images", "main", "missing", "places"]

ROOT = Path(__file__).resolve().parent.parent
KFP = "2.17.0"
_KFP_FROM = "github.com/kubeflow/pipelines/manifests/kustomize"
_KFP_LIMIT_S = 900
"""It pulls a dozen images, and waits for MySQL."""

NAME = "modelwarrant"
"""Of the cluster: other clusters of the same tool are left alone."""

FORWARDS = (
    ("Kubeflow Pipelines, API", "kubeflow", "service/ml-pipeline", 8888, 8888),
    ("Kubeflow Pipelines, UI", "kubeflow", "service/ml-pipeline-ui", 8080, 80),
    ("serving", "modelwarrant-serving", "service/serving", 8081, 8080),
    ("the gate's pages", "modelwarrant-system", "service/gate", 8082, 8080),
)
"""What, namespace, target, port here, port there."""


class Place:
    """A tool that runs a cluster on this machine."""

    def __init__(
        self,
        tool: str,
        context: str,
        *,
        listed: Sequence[str],
        up: Sequence[str],
        down: Sequence[str],
        load: Callable[[str], Sequence[str]],
    ) -> None:
        self.tool, self.context = tool, context
        self._listed, self._up, self._down, self._load = listed, up, down, load

    def is_up(self) -> bool:
        """Whether the tool knows our cluster."""
        done = subprocess.run(self._listed, capture_output=True, text=True, check=False)
        try:
            profiles = json.loads(done.stdout).get("valid", [])
            return NAME in [profile["Name"] for profile in profiles]
        except ValueError:
            return NAME in done.stdout.split()

    def up(self) -> None:
        """Start our cluster; one that is up stays."""
        if not self.is_up():
            _call(self._up)

    def down(self) -> None:
        """Remove our cluster with everything in it."""
        _call(self._down)

    def load(self, image: str) -> None:
        """Bring an image of docker's store into the node."""
        _call(self._load(image))


def places() -> dict[str, Place]:
    """Return the tools we know."""
    return {
        "kind": Place(
            "kind",
            f"kind-{NAME}",
            listed=("kind", "get", "clusters"),
            up=("kind", "create", "cluster", "--name", NAME, "--wait", "120s"),
            down=("kind", "delete", "cluster", "--name", NAME),
            load=lambda image: ("kind", "load", "docker-image", image, "--name", NAME),
        ),
        "minikube": Place(
            "minikube",
            NAME,
            listed=("minikube", "profile", "list", "--output=json"),
            # Its default network enforces no NetworkPolicy.
            up=("minikube", "start", "-p", NAME, "--cni=calico", "--cpus=4", "--memory=8g"),
            down=("minikube", "delete", "-p", NAME),
            load=lambda image: ("minikube", "-p", NAME, "image", "load", image),
        ),
    }


def missing(tools: Sequence[str]) -> list[str]:
    """Return those programs that are not installed."""
    return [tool for tool in tools if shutil.which(tool) is None]


def images() -> list[str]:
    """Return the names of our images: one a stage, serving and the gate."""
    return [recipe.tag for recipe in recipes()]


def _place(name: str | None) -> Place:
    """The tool that was named, or the one that is installed."""
    known = places()
    if name is not None and name not in known:
        raise PermanentError(f"CLUSTER={name} is none of {', '.join(known)}")
    chosen = name or next((tool for tool in known if not missing([tool])), "kind")
    absent = missing([known[chosen].tool, "docker", "kubectl"])
    if absent:
        raise PermanentError(
            f"a cluster on {chosen} needs {', '.join(absent)}, which is not installed here; "
            "docs/cluster.md says where to get it"
        )
    return known[chosen]


def _call(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise PermanentError(f"{' '.join(command)} failed; what it says stands above")


def _install_kfp(kubectl: Kubectl) -> None:
    """Install Kubeflow Pipelines as upstream says."""
    at = f"?ref={KFP}"
    kubectl.run("apply", "-k", f"{_KFP_FROM}/cluster-scoped-resources{at}")
    crd = "crd/workflows.argoproj.io"
    kubectl.run("wait", "--for=condition=Established", crd, "--timeout=60s")
    kubectl.run("apply", "-k", f"{_KFP_FROM}/env/platform-agnostic{at}")
    limit = f"--timeout={_KFP_LIMIT_S}s"
    target = "deployment/ml-pipeline"
    kubectl.run("-n", "kubeflow", "rollout", "status", target, limit, timeout_s=_KFP_LIMIT_S + 30.0)


def _load(place: Place) -> None:
    wanted = images()
    absent = [
        image
        for image in wanted
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode
    ]
    if absent:
        raise PermanentError(f"docker has no {', '.join(absent)}; run `make images` first")
    for image in wanted:
        print(f"loading {image}", flush=True)
        place.load(image)


def _up(options: argparse.Namespace) -> None:
    place = _place(options.cluster)
    place.up()
    kubectl = Kubectl(context=place.context)
    print(f"installing Kubeflow Pipelines {KFP}; minutes, the first time", flush=True)
    _install_kfp(kubectl)
    _load(place)
    for sentence in deploy(kubectl, place.tool, model=options.model):
        print(sentence, flush=True)


def _down(options: argparse.Namespace) -> None:
    _place(options.cluster).down()


def _load_images(options: argparse.Namespace) -> None:
    _load(_place(options.cluster))


def _deploy(options: argparse.Namespace) -> None:
    if not options.overlay:
        raise PermanentError(f"name the overlay: make deploy OVERLAY=X, of {', '.join(overlays())}")
    for sentence in deploy(Kubectl(options.context), options.overlay, model=options.model):
        print(sentence, flush=True)


def _pin(options: argparse.Namespace) -> None:
    if not options.model:
        raise PermanentError("name the model: make pin MODEL=flights")
    print(f"serving trusts {pin(Kubectl(options.context), options.model)}")


def _forward(options: argparse.Namespace) -> None:
    """Forward what is there until a signal comes or one of them ends."""
    kubectl = Kubectl(options.context)
    running = []
    try:
        for what, namespace, target, here, there in FORWARDS:
            if kubectl.get("service", namespace, target.removeprefix("service/")) is None:
                print(f"{what}: not in this cluster")
                continue
            arguments = ("port-forward", "-n", namespace, target, f"{here}:{there}")
            command = ["kubectl", *(("--context", kubectl.context) if kubectl.context else ())]
            running.append(subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL))
            print(f"{what}: http://127.0.0.1:{here}", flush=True)
        while running and all(process.poll() is None for process in running):
            time.sleep(0.5)
        raise PermanentError("a port-forward ended; what it says stands above")
    finally:
        for process in running:
            process.terminate()


def _user(options: argparse.Namespace) -> None:
    if not options.name:
        raise PermanentError("name the person: make user NAME=ada")
    file = options.out or default_file(options.name)
    add_user(Kubectl(options.context), options.name, file)
    print(f"{options.name} acts with: export KUBECONFIG={file}")
    print("nobody may do anything yet; give a part with one or more of:")
    for command in suggestions(options.name):
        print(f"  {command}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, does: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text)
        added.set_defaults(does=does)
        return added

    up = command("up", _up, "start kind or minikube with everything in it")
    down = command("down", _down, "remove that cluster")
    load = command("load", _load_images, "bring our images into its node")
    for one in (up, down, load):
        one.add_argument("--cluster", help="kind or minikube; default: what is installed")
    bring = command("deploy", _deploy, "bring an overlay to a cluster")
    bring.add_argument("--overlay", help=", ".join(overlays()))
    trust = command("pin", _pin, "have serving trust the ledger that the gate began")
    for one in (up, bring, trust):
        one.add_argument("--model", help="name of the model that is served")
    forward = command("forward", _forward, "reach Kubeflow Pipelines, serving and gate from here")
    user = command("user", _user, "make a kubeconfig for another person")
    user.add_argument("--name", help="as it stands in requests and decisions")
    user.add_argument("--out", type=Path, help="file to write")
    for one in (bring, trust, forward, user):
        one.add_argument("--context", help="of the kubeconfig; default: the current one")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.does(options)
    except WarrantError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
