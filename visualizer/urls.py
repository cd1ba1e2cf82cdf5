"""Which path leads where."""

from django.urls import include, path
from django.views.i18n import set_language

from visualizer import branch_pages, cluster_data, compare_pages, consumers, crawlers, fault_pages, site_pages, views
from visualizer import url_parts as _url_parts  # noqa: F401  (the converters of the patterns below)
from visualizer.rooms import urls as rooms
from visualizer.sharing import urls as sharing

urlpatterns = [
    path("", site_pages.landing, name="home"),
    path("sandbox/", views.home, name="sandbox"),
    path("courses/", site_pages.courses, name="courses"),
    path("courses/<slug:slug>/", site_pages.course, name="course"),
    path("walkthroughs/", site_pages.walkthroughs, name="walkthroughs"),
    path("walkthroughs/<slug:slug>/", site_pages.walkthrough, name="walkthrough"),
    path("exercises/", site_pages.exercises, name="exercises"),
    path("exercises/<slug:slug>/", site_pages.exercise, name="exercise"),
    path("map/", site_pages.map_of_subjects, name="map"),
    path("glossary/", site_pages.glossary, name="glossary"),
    path("privacy/", site_pages.privacy, name="privacy"),
    path("", include("visualizer.people.urls")),
    path("clusters/", views.new_cluster, name="clusters"),
    path("clusters/<id:cluster>/", views.cluster_page, name="cluster"),
    path("clusters/<id:cluster>/branches/", branch_pages.runs, name="branches"),
    path("clusters/<id:cluster>/name/", branch_pages.name, name="name"),
    path("clusters/<id:cluster>/delete/", branch_pages.delete, name="delete"),
    path("clusters/<id:cluster>/undo/", branch_pages.undo, name="undo"),
    path("clusters/<id:cluster>/reset/", branch_pages.reset, name="reset"),
    path("clusters/<id:cluster>/entries/", cluster_data.entries, name="entries"),
    path("clusters/<id:cluster>/entries/<number:seq>/", cluster_data.entry, name="entry"),
    path("clusters/<id:cluster>/search/", cluster_data.search, name="search"),
    path("clusters/<id:cluster>/state/<slug:view>/", cluster_data.state, name="state"),
    path("clusters/<id:cluster>/compare/<id:other>/", compare_pages.compare, name="compare"),
    path("clusters/<id:cluster>/beside/<id:other>/", compare_pages.beside, name="clusters-beside"),
    path("clusters/<id:cluster>/export/<slug:form>", cluster_data.export, name="export"),
    path("clusters/<id:cluster>/kubeconfig", cluster_data.kubeconfig, name="kubeconfig"),
    path("", include("visualizer.rooms.urls")),
    path("", include("visualizer.sharing.urls")),
    path("", include("visualizer.imports.urls")),
    path("faults/", views.faults, name="faults"),
    path("faults/cards/", fault_pages.cards, name="fault_cards"),
    path("incident/", fault_pages.incident, name="incident"),
    path("incidents/", fault_pages.incident),
    path("incidents/<slug:slug>/", fault_pages.incident),
    path("language/", set_language, name="set_language"),
    path("robots.txt", crawlers.robots_txt, name="robots"),
    path("healthz", views.readyz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]

websocket_urlpatterns = [
    path("ws/clusters/<id:cluster>/", consumers.ClusterConsumer.as_asgi()),
    *rooms.websocket_urlpatterns,
    *sharing.websocket_urlpatterns,
]

handler400 = "visualizer.error_pages.bad_request"
handler403 = "visualizer.error_pages.forbidden"
handler404 = "visualizer.error_pages.not_found"
handler500 = "visualizer.error_pages.server_error"
