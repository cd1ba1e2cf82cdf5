"""Which path leads where, for rooms."""

from django.urls import include, path

from visualizer import url_parts  # noqa: F401  (the converters of the patterns below)
from visualizer.rooms import consumer, views

_rooms = [
    path("", views.index, name="index"),
    path("<id:room>/", views.room_page, name="room"),
    path("<id:room>/watch/", views.watch, name="watch"),
    path("<id:room>/console/", views.console, name="console"),
    path("<id:room>/workers/", views.workers, name="workers"),
    path("<id:room>/results.csv", views.results_csv, name="results"),
    path("<id:room>/close/", views.close, name="close"),
    path("<id:room>/delete/", views.delete, name="delete"),
    path("<id:room>/leave/", views.leave, name="leave"),
    path("<id:room>/members/<number:member>/forget/", views.forget, name="forget"),
]

urlpatterns = [
    path("join/", views.join, name="join"),
    path("join/<str:code>/", views.join, name="join_code"),
    path("rooms/", include((_rooms, "rooms"))),
]

websocket_urlpatterns = [
    path("ws/rooms/<id:room>/", consumer.RoomConsumer.as_asgi()),
]
