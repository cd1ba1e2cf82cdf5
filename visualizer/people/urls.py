"""Which path leads where: accounts and progress."""

from django.urls import path

from visualizer.people import views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/sign-up/", views.sign_up, name="sign_up"),
    path("account/sign-in/", views.sign_in, name="sign_in"),
    path("account/sign-out/", views.sign_out, name="sign_out"),
    path("account/password/", views.password, name="password"),
    path("account/delete/", views.delete, name="delete_account"),
    path("progress/", views.progress, name="progress"),
    path("progress/export/", views.export, name="export_progress"),
    path("progress/delete/", views.forget, name="forget_progress"),
]
