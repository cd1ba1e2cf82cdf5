"""Asking somebody else's server whether somebody may, or who they are: a review sent, and given back with its status.

Theory of operation. A kubeconfig says where the server is, whom to trust and who we are. Each question is one POST to
the very URL that stands there. What cannot be asked is tried again, five times in all, ever more slowly; so it is with
answers of 5xx and 429. After that the caller decides what no answer means.

    POST https://10.0.0.100:8443/authorize  {"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1",…}
      ──►  200 {"kind":"SubjectAccessReview",…,"status":{"allowed":true,"reason":"because I say so"}}

Modelled on apiserver/pkg/util/webhook (GenericWebhook, WithExponentialBackoff). Left out: jitter, kept connections.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.client import kubeconfig
from cluster_engine.streaming import dialling
from cluster_engine.world.process import Process
from cluster_engine.world.tls import client_tls

TRIES, FIRST_SECONDS, FACTOR = 5, 0.5, 1.5
QUESTION_SECONDS_MAX = 30.0
ANSWER_BYTES_MAX = 64 * 1024
REMEMBERED_MAX = 8192
Object = dict[str, Any]


class WebhookError(Exception):
    """There was no answer that can be used; the message says why, in Go's words."""


class Webhook:
    """One server. Made of its kubeconfig: OSError, ValueError (KubeConfigError) where it cannot be used."""

    def __init__(self, process: Process, path: str) -> None:
        document = kubeconfig.read(process.files, path)
        config = kubeconfig.load(process.files, path)
        clusters = {one["name"]: one.get("cluster") or {} for one in document.get("clusters") or () if one}
        contexts = {one["name"]: one.get("context") or {} for one in document.get("contexts") or () if one}
        server = clusters[contexts[config.context]["cluster"]]["server"]
        self._url = f"https://{config.host}:{config.port}{urlsplit(server).path or '/'}"
        self._server_name = config.server_name
        self._tls = client_tls(ca=config.ca or b"", certificate=config.certificate, key=config.key, alpn=("http/1.1",))
        self._headers = [("Content-Type", "application/json"), ("Accept", "application/json, */*")]
        self._headers.append(("User-Agent", "kube-apiserver-admission"))
        if config.token:
            self._headers.append(("Authorization", f"Bearer {config.token}"))

    async def review(self, kind: str, api_version: str, spec: Object) -> Object:
        """Ask, and return the status of the answer. WebhookError."""
        review = {"kind": kind, "apiVersion": api_version, "metadata": {"creationTimestamp": None}, "spec": spec}
        body = msgspec.json.encode({**review, "status": {}})
        wait = FIRST_SECONDS
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(wait)
                wait *= FACTOR
            try:
                return await self._once(body)
            except _AgainError as error:
                why = error
        raise WebhookError(str(why)) from why

    async def _once(self, body: bytes) -> Object:
        try:
            async with asyncio.timeout(QUESTION_SECONDS_MAX):
                answer = await dialling.ask(
                    self._url,
                    method="POST",
                    headers=self._headers,
                    content=body,
                    tls=self._tls,
                    server_name=self._server_name,
                )
                try:
                    content = await _content(answer)
                finally:
                    await answer.close()
        except dialling.DialError as error:
            raise _AgainError(str(error)) from error
        except TimeoutError as error:
            raise _AgainError(f'Post "{self._url}": context deadline exceeded') from error
        if answer.status == 429 or answer.status >= 500:
            said = content[:200].decode("utf-8", "replace")
            raise _AgainError(f"an error on the server ({said!r}) has prevented the request from succeeding")
        if answer.status >= 400:
            raise WebhookError(
                f"the server responded with the status code {answer.status} but did not return more information"
            )
        try:
            found = read_json(content)
        except Unreadable as error:
            raise WebhookError(f"couldn't get version/kind; json parse error: {error}") from error
        status = found.get("status") if isinstance(found, dict) else None
        if not isinstance(status, dict):
            raise WebhookError("Object 'Kind' is missing in the answer")
        return status


class _AgainError(Exception):
    """There was no answer, but there may be one soon."""


async def _content(answer: dialling.Answer) -> bytes:
    found = b""
    async for chunk in answer.chunks():
        found += chunk
        if len(found) > ANSWER_BYTES_MAX:
            raise WebhookError("the answer is too long")
    return found
