"""Cut a window into the rows that may train a model and the rows that may only judge it."""

import sys
from collections.abc import Sequence

from modelwarrant.records import WindowRef
from modelwarrant.sources import load_window, save_final, save_training
from modelwarrant.stage import Task, run_stage
from modelwarrant.windows import split, window_digest


def cut_window(task: Task) -> None:
    """Split by the final share that the window's reference states."""
    ref = WindowRef.from_bytes(task.path("window_ref").read_bytes(), name="window_ref")
    train, final = split(load_window(task.path("window")), final=ref.final)
    save_training(task.output("train"), train)
    save_final(task.output("final"), final)
    final_digest = window_digest(final.window)
    update = {
        "train_digest": window_digest(train.window),
        "final_digest": final_digest,
        "first": int(train.window.order.min()),
        "final_first": int(final.window.order.min()),
        "last": int(final.window.order.max()),
    }
    task.write("split_ref", ref.model_copy(update=update))
    task.set("final_digest", final_digest)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("split_window", cut_window, argv)


if __name__ == "__main__":
    sys.exit(main())
