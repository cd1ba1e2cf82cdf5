"""What is kept of links to runs. A link ends with its cluster."""

import secrets

from django.db import models

from visualizer.models import Cluster


def new_token() -> str:
    """A token that cannot be guessed: it alone admits."""
    return secrets.token_urlsafe(24)


class Share(models.Model):
    """A link by which anybody may read a cluster's run; its owner made it, and may take it back."""

    token = models.CharField(primary_key=True, max_length=43, default=new_token)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="shares")
    files = models.BooleanField(default=False)  # may the journal be taken along as files, keys included
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"a link to {self.cluster_id}"
