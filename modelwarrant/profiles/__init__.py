"""What is worth knowing of a window's columns, counted in one pass and added exactly?

Numbers are counted along fixed edges from one reference, categories by level. A profile's size does
not depend on the rows, and the profiles of a window's parts add to the profile of the window.
"""

from modelwarrant.profiles.categories import MAX_LEVELS, CategoryProfile, category_profile
from modelwarrant.profiles.edges import NumberEdges, number_edges, ordered_quantiles
from modelwarrant.profiles.numbers import (
    NumberProfile,
    NumberSummary,
    SortedNumbers,
    number_profile,
    sorted_numbers,
)
from modelwarrant.profiles.window import (
    WindowProfile,
    add_profiles,
    column_profile,
    profile_window,
)

__all__ = [
    "MAX_LEVELS",
    "CategoryProfile",
    "NumberEdges",
    "NumberProfile",
    "NumberSummary",
    "SortedNumbers",
    "WindowProfile",
    "add_profiles",
    "category_profile",
    "column_profile",
    "number_edges",
    "number_profile",
    "ordered_quantiles",
    "profile_window",
    "sorted_numbers",
]
