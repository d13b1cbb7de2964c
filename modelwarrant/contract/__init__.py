"""Does a window keep the contract that its schema declares?"""

from modelwarrant.contract.check import MIN_LABELLED_ROWS, check

__all__ = ["MIN_LABELLED_ROWS", "check"]
