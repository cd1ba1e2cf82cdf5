"""`kubectl apply view-last-applied`: what a manifest said when it was applied last, which an annotation keeps.

    apply view-last-applied deployment/web       GET …/deployments/web; the annotation's text as YAML

Modelled on kubectl/pkg/cmd/apply/apply_view_last_applied.go. Left out: set-last-applied, edit-last-applied.
"""

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.programs.kubectl import documents
from cluster_engine.programs.kubectl.arguments import SELECTION_FLAGS, UNSAID, selected
from cluster_engine.programs.kubectl.create import LAST_APPLIED
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

VIEW_FLAGS = (*SELECTION_FLAGS, Flag("output", "o", default="yaml"))


async def view(session: Session, arguments: list[str]) -> int:
    """Print what was applied last; nothing for what never was."""
    form = session.flags["output"]
    if form not in ("yaml", "json"):
        hint = "See 'kubectl apply view-last-applied -h' for help and examples"
        raise CommandError(f"Unexpected -o output mode: {form}, the flag 'output' must be one of yaml|json\n{hint}")
    for target in await selected(session, arguments, UNSAID):
        obj = await session.get(target.path(session))
        text = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if not text:
            continue
        try:
            applied = read_json(text)
        except Unreadable as problem:
            raise CommandError(str(problem)) from problem
        session.out(documents.to_yaml(applied) if form == "yaml" else documents.to_json(applied, indent=2))
    return 0
