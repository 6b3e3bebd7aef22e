"""The API's paths. Which of them a node serves is its role's: see `gatewayz.urls`."""

from django.urls import path, re_path

from gatewayz.api.account import Credits, Generation, OwnKey
from gatewayz.api.chat import ChatCompletions
from gatewayz.api.explain import Explain
from gatewayz.api.gateways import GatewayCounts, GatewayHealth, GatewayList
from gatewayz.api.health import Health, Livez, Readyz
from gatewayz.api.keys import KeyDetail, KeyList, KeyRotation
from gatewayz.api.metrics import Metrics
from gatewayz.api.models import ModelDetail, ModelEndpoints, ModelList
from gatewayz.api.usage import Usage

inference = [
    path("v1/chat/completions", ChatCompletions.as_view()),
]
account = [
    path("v1/key", OwnKey.as_view()),
    path("v1/keys", KeyList.as_view()),
    path("v1/keys/<str:public_id>", KeyDetail.as_view()),
    path("v1/keys/<str:public_id>/rotate", KeyRotation.as_view()),
    path("v1/credits", Credits.as_view()),
    path("v1/generation", Generation.as_view()),
    path("v1/usage", Usage.as_view()),
]
listings = [
    path("v1/explain", Explain.as_view()),
    path("v1/models", ModelList.as_view()),
    re_path(r"^v1/models/(?P<name>.+)/endpoints$", ModelEndpoints.as_view()),
    re_path(r"^v1/models/(?P<name>.+)$", ModelDetail.as_view()),
    path("v1/gateways", GatewayList.as_view()),
    path("v1/gateways/counts", GatewayCounts.as_view()),
    re_path(r"^health/(?P<name>[^/]+)$", GatewayHealth.as_view()),
    path("health", Health.as_view()),
    path("metrics", Metrics.as_view()),
    path("livez", Livez.as_view()),
    path("readyz", Readyz.as_view()),
]
