"""Incidents: a sealed fault, drawn from a seed, for a single learner to notice, to name and to repair.

An incident is an exercise that is made instead of read (decision 25): `make` gives a `Lesson`, which the one `Player`
plays, so that revival, undo, progress and the page's socket are those of every lesson. Its name is its seed, a date for
the incident of a day: everybody has the same one. `cases` says what can break and how it is seen to work again.
"""

from visualizer.lessons.incidents.cases import CASES, Case, Remedy
from visualizer.lessons.incidents.made import Incident, case_of, make

__all__ = ["CASES", "Case", "Incident", "Remedy", "case_of", "make"]
