"""What does a served model consist of, and what does it answer?

A bundle is a folder of three files: ``model.onnx``, ``schema.json`` (the ``FeatureSchema``) and
``manifest.json`` (the ``ModelManifest``). No pickle, and nothing of scikit-learn, pandas or scipy:
what answers requests needs numpy and onnxruntime; a window of rows is pyarrow's.

The graph's contract, on which serving and third parties may rely:

- One input ``rows``: double ``[None, d]``, one column a feature in the order of ``schema.json``.

  ========  =====================================================================================
  kind      a value is written as
  ========  =====================================================================================
  number    itself
  boolean   0 or 1
  category  the position of the level in the feature's ``categories``; -1 for any other level
  time      seconds since 1970-01-01T00:00:00Z, fractions included
  ========  =====================================================================================

  A missing value is NaN, and stands only where the feature says ``missing: true``. The empty string
  is a level like any other. Infinite values, numbers outside a declared range, booleans other than
  0 and 1 and codes that are no integer of ``-1 .. len(categories) - 1`` are outside the contract:
  ``check_rows`` refuses them, and what the graph answers for them is undefined.
- One output ``scores``: double. Classification: ``[None, k]`` probabilities in the order of the
  schema's ``classes``, two columns for two classes; the label is the first largest. Regression:
  ``[None, 1]``, the prediction in the target's unit.
- No external data, no custom operators; ``ai.onnx`` 18 and ``ai.onnx.ml`` 5 for models that
  ``modelwarrant.training`` wrote itself.

``model.onnx``'s digest is the model's digest; ``manifest.json`` states it and the schema's digest.
"""

from modelwarrant.bundle.encoding import UNSEEN, check_rows, encode, encode_columns
from modelwarrant.bundle.files import open_bundle, read_bundle, write_bundle
from modelwarrant.bundle.importance import permutation_weights
from modelwarrant.bundle.model import Bundle
from modelwarrant.bundle.scorer import INPUT, OUTPUT, Scorer

__all__ = [
    "INPUT",
    "OUTPUT",
    "UNSEEN",
    "Bundle",
    "Scorer",
    "check_rows",
    "encode",
    "encode_columns",
    "open_bundle",
    "permutation_weights",
    "read_bundle",
    "write_bundle",
]
