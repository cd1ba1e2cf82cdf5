"""Which path leads where, for rooms."""

from django.urls import include, path

from visualizer.rooms import consumer, views

_rooms = [
    path("", views.index, name="index"),
    path("<str:room>/", views.room_page, name="room"),
    path("<str:room>/watch/", views.watch, name="watch"),
    path("<str:room>/console/", views.console, name="console"),
    path("<str:room>/results.csv", views.results_csv, name="results"),
    path("<str:room>/close/", views.close, name="close"),
    path("<str:room>/delete/", views.delete, name="delete"),
    path("<str:room>/leave/", views.leave, name="leave"),
    path("<str:room>/members/<int:member>/forget/", views.forget, name="forget"),
]

urlpatterns = [
    path("join/", views.join, name="join"),
    path("join/<str:code>/", views.join, name="join_code"),
    path("rooms/", include((_rooms, "rooms"))),
]

websocket_urlpatterns = [
    path("ws/rooms/<str:room>/", consumer.RoomConsumer.as_asgi()),
]
