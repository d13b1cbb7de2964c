"""What does the project file say, and what would a first one?"""

from modelwarrant.project.initial import initial_project_text, model_name, write_project
from modelwarrant.project.periods import parse_period, period_text
from modelwarrant.project.project import DEFAULT_FILE, Project, load, parse_project
from modelwarrant.project.sections import METRICS, RECIPES, Windows

__all__ = [
    "DEFAULT_FILE",
    "METRICS",
    "RECIPES",
    "Project",
    "Windows",
    "initial_project_text",
    "load",
    "model_name",
    "parse_period",
    "parse_project",
    "period_text",
    "write_project",
]
