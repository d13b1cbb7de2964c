"""Write the compiled IR of every pipeline beside its source.

``make generated`` runs this, and ``make check`` fails where the committed files differ.
"""

import importlib
from pathlib import Path

from kfp import compiler
from kfp.dsl.graph_component import GraphComponent

ROOT = Path(__file__).resolve().parent.parent


def pipeline_modules() -> list[str]:
    """Return the names of the modules in pipelines/ that define a pipeline of the same name."""
    names = sorted(path.stem for path in (ROOT / "pipelines").glob("[a-z]*.py"))
    modules = {name: importlib.import_module(f"pipelines.{name}") for name in names}
    return [n for n, m in modules.items() if isinstance(getattr(m, n, None), GraphComponent)]


def main() -> None:
    """Compile every pipeline."""
    for name in pipeline_modules():
        pipeline = getattr(importlib.import_module(f"pipelines.{name}"), name)
        target = ROOT / "pipelines" / f"{name}.yaml"
        compiler.Compiler().compile(pipeline, str(target))
        print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
