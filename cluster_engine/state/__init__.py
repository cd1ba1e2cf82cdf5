"""State at the cursor: what stood at any position of a journal, as a function of its entries and evidence alone.

Theory of operation. For each fact ("etcd holds this key", "this connection is open") there is a timeline: the positions
of the journal at which it changed, each with a reference to what told of the change. The state at position n is, of
each timeline, the last point at or before n, found by bisection. So going back costs what going on costs, nothing is
copied, and an object's history is its timeline (docs/decisions/0035).

    timeline   points in order of seq
    reading    entries and their evidence, read once for each question
    etcd       the keys of etcd: when each was written, and where the journal says it
    apiserver  what API servers say of objects, in recordings of clusters whose etcd nobody hears
    keys       which object a key is, and which kinds there are
    added      what a CustomResourceDefinition says of the kind that it adds
    connections, watches    hosts, programs and what they have said to each other; what each program believes
    fold       all timelines, and how far the journal has been read into them
    views      the questions, by name; each is a module: objects, history, board, topology, beliefs, identities, rules,
               reached
    conditions, turns    states of objects by their names, and whether one is come into with a new entry

No component is asked. Nothing is read before somebody asks, and then as far as they ask; only what the journal is about
to forget is read before, in idle moments (`keep_up`), so that who asks late knows of it. Bodies stay in the journal:
what it has forgotten cannot be shown, and says so (`complete`, `gone`).

    state = State(journal, epoch)
    for _ in state.reading("object", 812): ...              in slices, so that nobody waits
    state.answer("object", 812, {"resource": "pods", "namespace": "default", "name": "web-1"})
"""

from cluster_engine.state.views import VIEWS, State

__all__ = ["VIEWS", "State"]
