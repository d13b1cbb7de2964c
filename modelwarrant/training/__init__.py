"""How is a model fitted, and does what is kept of it answer as the fitted estimator did?

``fit`` is the door: rows and a recipe in, ONNX bytes out. The bytes are written from the fitted
arrays, in double, and compared with the estimator's answers before anybody gets them.
"""

from modelwarrant.training.fitting import FittedModel, fit
from modelwarrant.training.recipes import BUILT_IN
from modelwarrant.training.rows import fitted_rows

__all__ = ["BUILT_IN", "FittedModel", "fit", "fitted_rows"]
