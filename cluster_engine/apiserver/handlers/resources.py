"""Verbs on resources: which handler answers, and what each does between the body and the registry.

    POST   pods                 create      PUT    pods/x            update      PATCH pods/x/status   patch
    GET    pods?watch=1         watch       DELETE pods              deletecollection
    POST   pods/x/binding       a subresource of its own kind: Binding

Modelled on apiserver/pkg/endpoints/handlers/{create,get,update,patch,delete}.go and endpoints/installer.go.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from cluster_engine.api import strict
from cluster_engine.api.kinds import (
    BINDING,
    DELETE_OPTIONS,
    EVICTION,
    NAMESPACE,
    POD,
    SCALE,
    SERVICE_ACCOUNT,
    TOKEN_REQUEST,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import APPLY_PATCHES
from cluster_engine.api.schema import Kind, Subresource
from cluster_engine.api.status import BadRequest, MethodNotAllowed, NotFound, Refusal, success
from cluster_engine.apiserver.admission.chain import Admission
from cluster_engine.apiserver.authentication.tokens import Signer
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Attributes, refusal_text
from cluster_engine.apiserver.handlers import bodies, older_versions, responses
from cluster_engine.apiserver.handlers.bodies import copied, media_type
from cluster_engine.apiserver.handlers.connect import Connections
from cluster_engine.apiserver.handlers.listing import list_objects
from cluster_engine.apiserver.handlers.logs import PodLogs
from cluster_engine.apiserver.handlers.negotiation import Form, negotiate
from cluster_engine.apiserver.handlers.options import DRY_RUN, check_write, list_options
from cluster_engine.apiserver.handlers.patching import applier, patcher
from cluster_engine.apiserver.handlers.watch_sockets import is_asked_for, over_websocket
from cluster_engine.apiserver.handlers.watching import Rendering, serve_watch
from cluster_engine.apiserver.registry import deletion, eviction, managed_fields, pods, reviews, scale, service_accounts
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.managed_fields import manager_of
from cluster_engine.apiserver.registry.store import Store, set_entries
from cluster_engine.apiserver.request_info import RequestInfo, parse_query
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.storage import CachedObject

COLLECTION_VERBS = ("list", "watch", "create", "deletecollection")
ALL_NAMESPACES_VERBS = ("list", "watch")
STATUS_WRITES = ("approval", "status")
"""The subresources that write nothing but an object's status."""


class Resources:
    """Answers requests for resources, after authentication and authorization."""

    def __init__(
        self,
        store: Store,
        admission: Admission,
        reviewers: reviews.Reviewers,
        signer: Signer,
        *,
        logs: PodLogs,
        connections: Connections,
    ) -> None:
        self._store = store
        self._backend = store.backend
        self._admission = admission
        self._reviewers = reviewers
        self._signer = signer
        self._logs = logs
        self._connections = connections

    async def serve(self, request: Request, info: RequestInfo, user: User, warnings: list[str]) -> Response:
        """Answer one request."""
        served = self._backend.kinds.served
        kind = served.by_resource(info.group, info.version, info.resource)
        if kind is None:
            near = served.group_version(info.group, info.version)
            if near is not None and any(each.is_stored for each in near.kinds):
                raise NotFound()
            return responses.NOT_FOUND_TEXT
        subresource = kind.subresource(info.subresource) if info.subresource else None
        self._check_path(info, kind, subresource)
        if kind.stored_as is not None:
            newer = msgspec.structs.replace(info, version=kind.stored_as.version)
            return await older_versions.serve(
                request, served, kind, warnings, lambda asked: self.serve(asked, newer, user, warnings)
            )
        parameters = parse_query(request.query)
        call = Call(
            kind=kind,
            verb=info.verb,
            user=user,
            now=self._backend.process.now(),
            namespace=info.namespace if kind.namespaced else "",
            name=info.name if info.names_object else "",
            subresource=info.subresource,
            parameters=_about_one(info, parameters),
            dry_run=parameters.get("dryRun") == DRY_RUN,
            manager=manager_of(parameters.get("fieldManager", ""), request.header("user-agent")),
            warnings=warnings,
        )
        if subresource is not None and subresource.connects:
            return await self._connections.serve(request, call)
        check_write(info.verb, parameters, media_type(request.header("content-type")))
        form = negotiate(request.header("accept"))
        if subresource is not None:
            return await SUBRESOURCES.get(info.subresource, Resources._other)(self, request, call, form)
        if kind.is_stored:
            return await VERBS[info.verb](self, request, call, form)
        return await self._virtual(request, call)

    def _check_path(self, info: RequestInfo, kind: Kind, subresource: Subresource | None) -> None:
        """Refuse what the path or the method rules out: 404 for what does not exist, 405 for what one cannot do."""
        if info.subresource and subresource is None:
            raise NotFound()
        if info.namespace and not kind.namespaced and kind is not NAMESPACE:
            raise NotFound()
        verbs = kind.verbs if subresource is None else subresource.verbs
        verb_fits = info.verb in verbs
        if subresource is None and (info.verb in COLLECTION_VERBS) is info.names_object and info.verb != "watch":
            verb_fits = False
        if kind.namespaced and not info.namespace and info.verb not in ALL_NAMESPACES_VERBS:
            verb_fits = False
        if not verb_fits:
            raise MethodNotAllowed()

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _get(self, request: Request, call: Call, form: Form) -> Response:
        view = self._view(call, form)
        return responses.one(call.kind, await self._store.get(call), view)

    async def _list(self, request: Request, call: Call, form: Form) -> Response:
        view = self._view(call, form)
        options = list_options(call.kind, call.parameters, watch=False)
        found, metadata = await list_objects(self._store, call, options)
        return responses.several(call.kind, found, view, metadata)

    async def _watch(self, request: Request, call: Call, form: Form) -> Response:
        if call.name:  # ?watch=1 on a named object means nothing
            return await self._get(request, call, form)
        include = responses.include_object(call.parameters)
        options = list_options(call.kind, call.parameters, watch=True)
        rendering = Rendering(call.kind, form, include, self._backend.process.now)
        cache = self._store.cache(call.kind)
        response = await serve_watch(self._backend, cache, call, options, rendering, peer_time=request.peer.time)
        return over_websocket(request, response) if is_asked_for(request) else response

    # -- writing ---------------------------------------------------------------------------------------------------

    async def _create(self, request: Request, call: Call, form: Form) -> Response:
        obj = await self._read_object(request, call, call.kind)
        created = await self._store.create(call, obj)
        return self._answer(call, created, form, 201)

    async def _update(self, request: Request, call: Call, form: Form) -> Response:
        obj = await self._read_object(request, call, call.kind)
        try:
            updated = await self._store.update(call, lambda old: _fresh(obj))
        except NotFound:
            if not call.kind.create_on_update or (obj.get("metadata") or {}).get("resourceVersion"):
                raise
            return await self._create_by_update(call, obj, form)
        return self._answer(call, updated, form)

    async def _create_by_update(self, call: Call, obj: Object, form: Form) -> Response:
        self._authorize_create(call)
        (obj.setdefault("metadata", {})).setdefault("name", call.name)
        created = await self._store.create(call, obj)
        return self._answer(call, created, form, 201)

    def _authorize_create(self, call: Call) -> None:
        """Refuse (403) who may change an object and not create it."""
        attributes = Attributes(
            call.user,
            "create",
            group=call.kind.group,
            resource=call.kind.plural,
            namespace=call.namespace,
            name=call.name,
        )
        decision = self._reviewers.authorizer.authorize(attributes)
        if not decision.allowed:
            raise Refusal(refusal_text(attributes, decision.reason), code=403, reason="Forbidden")

    async def _patch(self, request: Request, call: Call, form: Form) -> Response:
        if media_type(request.header("content-type")) in APPLY_PATCHES:
            return await self._apply(request, call, form)
        apply = patcher(request.header("content-type"), await request.read(), call)

        def change(old: Object) -> Object:
            patched = apply(call.kind, copied(old))
            return bodies.complete(call, call.kind, patched)

        if call.subresource in STATUS_WRITES:
            changed = await self._store.update_status(call, change)
        else:
            changed = await self._store.update(call, change)
        return self._answer(call, changed, form)

    async def _apply(self, request: Request, call: Call, form: Form) -> Response:
        apply = applier(await request.read(), call)
        write = self._store.update_status if call.subresource in STATUS_WRITES else self._store.update
        try:
            return self._answer(call, await write(call, apply, tracks=False), form)
        except NotFound:
            if call.subresource:
                raise
        self._authorize_create(call)
        return self._answer(call, await self._store.create(call, apply(None), tracks=False), form, 201)

    async def _delete(self, request: Request, call: Call, form: Form) -> Response:
        options = await self._delete_options(request, call)
        obj, is_gone = await self._store.delete(call, options)
        if is_gone and not call.kind.delete_returns_object:
            return responses.document(success(_deleted(call.kind, obj)), 200, Form(form.media))
        return self._answer(call, obj, form)

    async def _delete_collection(self, request: Request, call: Call, form: Form) -> Response:
        options = await self._delete_options(request, call)
        selection = list_options(call.kind, call.parameters, watch=False)
        found, metadata = await list_objects(self._store, call, selection)
        deleted = []
        for each in found:
            one = each.object["metadata"]
            each_call = Call(call.kind, call.verb, call.user, call.now, one.get("namespace", ""), one["name"])
            each_call.dry_run = call.dry_run
            try:
                obj, _ = await self._store.delete(each_call, options)
            except NotFound:
                continue
            deleted.append(CachedObject(each_call.key, obj, 0))
        return responses.several(call.kind, deleted, self._view(call, form), metadata)

    # -- subresources ----------------------------------------------------------------------------------------------

    async def _status(self, request: Request, call: Call, form: Form) -> Response:
        if call.verb == "get":
            return await self._get(request, call, form)
        if call.verb == "patch":
            return await self._patch(request, call, form)
        obj = await self._read_object(request, call, call.kind)
        updated = await self._store.update_status(call, lambda old: _fresh(obj))
        return self._answer(call, updated, form)

    async def _scale(self, request: Request, call: Call, form: Form) -> Response:
        if call.verb == "get":
            return self._scaled((await self._store.get(call)).object, call, form)
        if call.verb == "update":
            wanted = await self._read_object(request, call, SCALE)

            def change(old: Object) -> Object:
                return scale.scaled(call, old, wanted)
        else:
            apply = patcher(request.header("content-type"), await request.read(), call)

            def change(old: Object) -> Object:
                return scale.scaled(call, old, apply(SCALE, copied(scale.scale_of(old))))

        return self._scaled(await self._store.update(call, change), call, form)

    def _scaled(self, obj: Object, call: Call, form: Form) -> Response:
        found = CachedObject(call.key, scale.scale_of(obj), 0)
        return responses.one(SCALE, found, self._view(call, form))

    async def _binding(self, request: Request, call: Call, form: Form) -> Response:
        binding = await self._read_object(request, call, BINDING)
        if call.name == "":
            call.name = (binding.get("metadata") or {}).get("name") or ""
        call.kind = POD
        return responses.document(await pods.bind(self._store, call, binding), 201)

    async def _eviction(self, request: Request, call: Call, form: Form) -> Response:
        asked = await self._read_object(request, call, EVICTION)
        return responses.document(await eviction.evict(self._store, call, asked), 201)

    async def _token(self, request: Request, call: Call, form: Form) -> Response:
        asked = await self._read_object(request, call, TOKEN_REQUEST)
        assert call.kind is SERVICE_ACCOUNT
        self._admission.on_token(call, asked)
        answer = await service_accounts.request_token(self._backend, self._signer, call, asked)
        return responses.document(answer, 201)

    async def _finalize(self, request: Request, call: Call, form: Form) -> Response:
        wanted = await self._read_object(request, call, NAMESPACE)
        finalizers = (wanted.get("spec") or {}).get("finalizers") or []

        def change(old: Object) -> Object:
            spec = {name: value for name, value in (old.get("spec") or {}).items() if name != "finalizers"}
            spec |= {"finalizers": finalizers} if finalizers else {}
            new = {**old, "metadata": dict(old["metadata"]), "spec": spec}
            set_entries(new, managed_fields.updated(call.kind, old, new, call.writer))
            return new

        return self._answer(call, await self._store.guaranteed_update(call, change), form)

    async def _log(self, request: Request, call: Call, form: Form) -> Response:
        return await self._logs.serve(call)

    async def _ephemeral_containers(self, request: Request, call: Call, form: Form) -> Response:
        verbs = {"get": self._get, "update": self._update, "patch": self._patch}
        return await verbs[call.verb](request, call, form)

    async def _other(self, request: Request, call: Call, form: Form) -> Response:
        """A subresource that is not served yet."""
        raise NotFound()

    # -- resources that are not stored -------------------------------------------------------------------------------

    async def _virtual(self, request: Request, call: Call) -> Response:
        if call.kind is BINDING:
            return await self._binding(request, call, Form())
        asked = await self._read_object(request, call, call.kind)
        return responses.document(await reviews.review(self._reviewers, call, asked), 201)

    # -- bodies and answers ------------------------------------------------------------------------------------------

    async def _read_object(self, request: Request, call: Call, kind: Kind) -> Object:
        return bodies.read(self._backend.kinds.served, call, kind, await request.read(), request.header("content-type"))

    async def _delete_options(self, request: Request, call: Call) -> deletion.Options:
        body = await request.read()
        given = None
        if body:
            given = bodies.decode(self._backend.kinds.served, body, request.header("content-type"), "DeleteOptions")
            if given.get("kind") not in (None, "DeleteOptions"):
                raise BadRequest(f"the object provided is unrecognized: no kind DeleteOptions but {given['kind']}")
            _, given = strict.check(DELETE_OPTIONS, given)
        return deletion.options_from(given, call.parameters)

    def _view(self, call: Call, form: Form) -> responses.View:
        return responses.View(form, responses.include_object(call.parameters), call.now)

    def _answer(self, call: Call, obj: Object, form: Form, status: int = 200) -> Response:
        return responses.one(call.kind, CachedObject(call.key, obj, 0), self._view(call, form), status)


def _about_one(info: RequestInfo, parameters: Mapping[str, str]) -> dict[str, str]:
    """Copy the parameters; a collection request that was authorized for one name stays with that name.

    The name stands in the field selector, or in the path of the old form `/api/v1/watch/pods/x`.
    """
    copy = dict(parameters)
    if info.name and not info.names_object:
        terms = [copy.get("fieldSelector", ""), f"metadata.name={info.name}"]
        copy["fieldSelector"] = ",".join(term for term in terms if term)
    return copy


def _fresh(obj: Object) -> Object:
    """Return a body anew for each attempt, since what is made of it is changed in place."""
    return {**obj, "metadata": dict(obj.get("metadata") or {})}


def _deleted(kind: Kind, obj: Object) -> Object:
    details = {"name": obj["metadata"]["name"]}
    if kind.group:
        details["group"] = kind.group
    return {**details, "kind": kind.plural, "uid": obj["metadata"]["uid"]}


Handler = Callable[[Resources, Request, Call, Form], Awaitable[Response]]

VERBS: dict[str, Handler] = {
    "get": Resources._get,
    "list": Resources._list,
    "watch": Resources._watch,
    "create": Resources._create,
    "update": Resources._update,
    "patch": Resources._patch,
    "delete": Resources._delete,
    "deletecollection": Resources._delete_collection,
}
SUBRESOURCES: dict[str, Handler] = {
    "approval": Resources._status,
    "status": Resources._status,
    "ephemeralcontainers": Resources._ephemeral_containers,
    "scale": Resources._scale,
    "binding": Resources._binding,
    "eviction": Resources._eviction,
    "token": Resources._token,
    "finalize": Resources._finalize,
    "log": Resources._log,
}
