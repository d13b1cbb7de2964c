"""What does a model lose on rows whose labels are not known yet?

Pure: a labelled reference, a window and a drift report come in, a record comes out. It sees no
change of P(y | x): that takes labels.
"""

from modelwarrant.estimation.estimating import Estimated, estimate_performance
from modelwarrant.estimation.sides import Answered

__all__ = ["Answered", "Estimated", "estimate_performance"]
