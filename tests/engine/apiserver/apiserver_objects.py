"""Small objects for tests."""


def pod(name, *, node=None, labels=None, **spec):
    """A small pod."""
    made = {"metadata": {"name": name, "labels": labels or {"app": "web"}}}
    made["spec"] = {"containers": [{"name": "web", "image": "nginx"}], **spec}
    if node:
        made["spec"]["nodeName"] = node
    return made


def deployment(name="web", replicas=3, **spec):
    """A small deployment."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def config_map(name, **data):
    """A small config map."""
    return {"metadata": {"name": name}, "data": data}
