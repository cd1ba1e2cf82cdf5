"""Which path leads where, for links to runs."""

from django.urls import path

from visualizer import url_parts  # noqa: F401  (the converters of the patterns below)
from visualizer.sharing import consumer, views

urlpatterns = [
    path("clusters/<id:cluster>/shares/", views.shares, name="shares"),
    path("shared/", views.mine, name="shared_by_me"),
    path("shared/<id:token>/", views.page, name="shared"),
    path("shared/<id:token>/embed/", views.embed, name="shared_embed"),
    path("shared/<id:token>/revoke/", views.revoke, name="revoke_share"),
    path("shared/<id:token>/entries/", views.entries, name="shared_entries"),
    path("shared/<id:token>/entries/<number:seq>/", views.entry, name="shared_entry"),
    path("shared/<id:token>/search/", views.search, name="shared_search"),
    path("shared/<id:token>/state/<slug:view>/", views.state, name="shared_state"),
    path("shared/<id:token>/export/<slug:form>", views.export, name="shared_export"),
]

websocket_urlpatterns = [
    path("ws/shared/<id:token>/", consumer.ReaderConsumer.as_asgi()),
]
