"""Which path leads where, for files that people bring."""

from django.urls import path

from visualizer import url_parts  # noqa: F401  (the converters of the patterns below)
from visualizer.imports import views

urlpatterns = [
    path("imports/", views.index, name="imports"),
    path("imports/<id:file>/", views.status, name="import"),
    path("imports/<id:file>/parts/<number:n>/", views.part, name="import_part"),
    path("imports/<id:file>/keys/<number:n>/", views.key_part, name="import_key_part"),
    path("imports/<id:file>/read/", views.read, name="import_read"),
    path("imports/<id:file>/forget/", views.forget, name="import_forget"),
]
