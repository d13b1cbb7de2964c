"""Print the stages as a JSON list, discovered, for CI matrices."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    print(json.dumps(sorted(p.parent.name for p in (ROOT / "components").glob("*/component.py"))))
