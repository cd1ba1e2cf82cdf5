"""What is written of links to runs."""

from django.db import transaction

from visualizer.models import Cluster
from visualizer.selectors import Owner
from visualizer.sharing import selectors
from visualizer.sharing.models import Share

SHARES_OF_OWNER_MAX = 50


class TooManyShares(Exception):  # noqa: N818
    """Somebody has as many links as one may have."""


def make_share(owner: Owner, cluster: Cluster, *, files: bool) -> Share:
    """Make one more link to a cluster of theirs. Raise `TooManyShares`."""
    with transaction.atomic():
        Cluster.objects.select_for_update().get(pk=cluster.pk)
        if len(selectors.shares_of(owner)) >= SHARES_OF_OWNER_MAX:
            raise TooManyShares
        return Share.objects.create(cluster=cluster, files=files)


def revoke(owner: Owner, token: str) -> str | None:
    """Take a link of theirs back, and give its cluster's id; None where there is no such link of theirs."""
    with transaction.atomic():
        found = Share.objects.filter(pk=token, cluster__in=Cluster.objects.filter(owner.owns())).first()
        if found is None:
            return None
        found.delete()
        return found.cluster_id
