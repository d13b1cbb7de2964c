"""Which request of a submitted run waits for a person? Prints it as outputs of a GitHub step."""

import json
import re
import sys
from pathlib import Path

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def step_outputs(text: str) -> str:
    """Return the lines for ``$GITHUB_OUTPUT``.

    Raises:
        ValueError: the answer names no request, or one that no object of Kubernetes can have.
    """
    answer = json.loads(text)
    name = answer.get("request") if isinstance(answer, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"the answer names no request: {name!r}")
    return f"request={name}\nwaits={'true' if answer.get('outcome') is None else 'false'}"


def main(argv: list[str]) -> int:
    """Read the answer that ``ci/summary.py --answer`` kept, and print the outputs."""
    try:
        print(step_outputs(Path(argv[0]).read_text()))
    except (OSError, ValueError, IndexError) as error:
        print(f"ci/waiting_request.py FILE: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
