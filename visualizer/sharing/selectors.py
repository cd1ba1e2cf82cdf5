"""What is read of links to runs."""

from visualizer.models import Cluster
from visualizer.selectors import Owner
from visualizer.sharing.models import Share


def share(token: str) -> Share | None:
    """The link of a token, with its cluster; one to a cluster that is nobody's any more leads nowhere."""
    found = Share.objects.filter(pk=token).select_related("cluster").first()
    return found if found is not None and (found.cluster.visitor or found.cluster.user_id is not None) else None


def shares_of(owner: Owner, cluster: str | None = None) -> list[Share]:
    """All links that somebody has made, or those to one cluster, the newest first."""
    theirs = Share.objects.filter(cluster__in=Cluster.objects.filter(owner.owns())).select_related("cluster")
    if cluster is not None:
        theirs = theirs.filter(cluster=cluster)
    return list(theirs.order_by("-created_at"))
