"""What can be asked of a cluster's journal and of what lies in its store, as data.

One vocabulary for the anchors of a walkthrough's beats, the checks of an exercise and the triggers of an instructor's
faults. `predicate` says what there is, `reading` makes it of a document, `paths` and `matching` find and compare
values, `parts` is what holds so far, `lookout` watches a cluster. Imports nothing of the engine.

    held = Lookout(cluster)
    held.watch("created", read({"entry": {"kind": "http.request", "fields": {"verb": "create"}}}))
    held.watch("running", read({"objects": {"resource": "pods", "where": {"status.phase": "Running"}, "count": 3}}))
"""

from cluster_engine.predicates.lookout import Lookout
from cluster_engine.predicates.parts import Held, is_like
from cluster_engine.predicates.predicate import Any, Entry, Predicate, names_in, questions_in
from cluster_engine.predicates.reading import PredicateError, read, read_entry
from cluster_engine.predicates.tally import Tally

__all__ = [
    "Any",
    "Entry",
    "Held",
    "Lookout",
    "Predicate",
    "PredicateError",
    "Tally",
    "is_like",
    "names_in",
    "questions_in",
    "read",
    "read_entry",
]
