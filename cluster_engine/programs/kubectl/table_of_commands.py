"""Which commands there are: the one list that help, parsing and "did you mean" read."""

from cluster_engine.programs.kubectl import (
    about,
    apply,
    auth,
    config,
    copy,
    create,
    create_bindings,
    create_roles,
    delete,
    edit,
    execute,
    explain,
    expose,
    get,
    labels,
    logs,
    node_commands,
    patch,
    port_forward,
    proxy,
    replace,
    rollout,
    scale,
    set_template,
    wait,
)
from cluster_engine.programs.kubectl.commands import Command, register
from cluster_engine.programs.kubectl.describe import command as describe

_CREATE = (
    Command(
        "create",
        create.from_files,
        create.FILE_FLAGS,
        "Create a resource from a file or from flags",
        "create -f FILENAME",
    ),
    Command(
        "create deployment",
        create.deployment,
        create.DEPLOYMENT_FLAGS,
        "Create a deployment with the specified name",
        "create deployment NAME --image=image -- [COMMAND] [args...]",
    ),
    Command("create namespace", create.namespace, create.COMMON_FLAGS, "Create a namespace", "create namespace NAME"),
    Command("create serviceaccount", create.service_account, create.COMMON_FLAGS, "Create a service account"),
    Command("create configmap", create.config_map, create.DATA_FLAGS, "Create a config map from files or literals"),
    Command(
        "create secret generic", create.secret_generic, create.DATA_FLAGS, "Create a secret from files or literals"
    ),
    Command(
        "create clusterrolebinding",
        create_bindings.cluster_role_binding,
        create_bindings.CLUSTER_FLAGS,
        "Create a cluster role binding for a particular cluster role",
        "create clusterrolebinding NAME --clusterrole=NAME [--user=NAME] [--serviceaccount=NAMESPACE:NAME]",
    ),
    Command(
        "create rolebinding",
        create_bindings.role_binding,
        create_bindings.NAMESPACED_FLAGS,
        "Create a role binding for a particular role or cluster role",
        "create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=NAME] [--serviceaccount=NAMESPACE:NAME]",
    ),
    Command(
        "create role",
        create_roles.role,
        create_roles.FLAGS,
        "Create a role with single rule",
        "create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]",
    ),
    Command(
        "create clusterrole",
        create_roles.cluster_role,
        create_roles.CLUSTER_FLAGS,
        "Create a cluster role",
        "create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename]",
    ),
    Command("create service clusterip", create.service_cluster_ip, create.SERVICE_FLAGS, "Create a ClusterIP service"),
    Command("run", create.run, create.RUN_FLAGS, "Run a particular image on the cluster", "run NAME --image=image"),
)
_ALIASES = {
    "create deploy": "create deployment",
    "create ns": "create namespace",
    "create sa": "create serviceaccount",
    "create cm": "create configmap",
    "create svc clusterip": "create service clusterip",
}
_CHANGE = (
    Command("apply", apply.run, apply.FLAGS, "Apply a configuration to a resource by file name", "apply -f FILENAME"),
    Command(
        "delete",
        delete.run,
        delete.FLAGS,
        "Delete resources",
        "delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    ),
    Command(
        "scale",
        scale.run,
        scale.FLAGS,
        "Set a new size for a deployment or replica set",
        "scale --replicas=COUNT TYPE NAME",
    ),
    Command("expose", expose.run, expose.FLAGS, "Expose a resource as a new Kubernetes service"),
    Command("label", labels.label, labels.FLAGS, "Update the labels on a resource"),
    Command("annotate", labels.annotate, labels.FLAGS, "Update the annotations on a resource"),
    Command("edit", edit.run, edit.FLAGS, "Edit a resource on the server", "edit (RESOURCE/NAME | -f FILENAME)"),
    Command("patch", patch.run, patch.FLAGS, "Update fields of a resource"),
    Command("replace", replace.run, replace.FLAGS, "Replace a resource by file name or stdin", "replace -f FILENAME"),
    Command("set image", set_template.image, (), "Update the image of a pod template"),
    Command(
        "set env",
        set_template.env,
        set_template.ENV_FLAGS,
        "Update environment variables on a pod template",
        "set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
    ),
    Command(
        "set resources",
        set_template.resources,
        set_template.RESOURCES_FLAGS,
        "Update resource requests/limits on objects with pod templates",
        "set resources TYPE NAME [--limits=LIMITS] [--requests=REQUESTS]",
    ),
    Command("rollout status", rollout.status, rollout.STATUS_FLAGS, "Show the status of the rollout"),
    Command("rollout history", rollout.history, rollout.HISTORY_FLAGS, "View rollout history"),
    Command("rollout undo", rollout.undo, rollout.UNDO_FLAGS, "Undo a previous rollout"),
    Command("rollout restart", rollout.restart, (), "Restart a resource"),
    Command("rollout pause", rollout.pause, (), "Mark the provided resource as paused"),
    Command("rollout resume", rollout.resume, (), "Resume a paused resource"),
    Command("cordon", node_commands.cordon, (), "Mark node as unschedulable"),
    Command("uncordon", node_commands.uncordon, (), "Mark node as schedulable"),
    Command("drain", node_commands.drain, node_commands.DRAIN_FLAGS, "Drain node in preparation for maintenance"),
    Command("taint", node_commands.taint, node_commands.TAINT_FLAGS, "Update the taints on one or more nodes"),
)
_LOOK = (
    Command("get", get.run, get.FLAGS, "Display one or many resources", "get (TYPE [NAME] | TYPE/NAME ...)"),
    Command("describe", describe.run, describe.FLAGS, "Show details of a specific resource or group of resources"),
    Command(
        "logs",
        logs.run,
        logs.FLAGS,
        "Print the logs for a container in a pod",
        "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    ),
    Command(
        "exec",
        execute.run,
        execute.FLAGS,
        "Execute a command in a container",
        "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    ),
    Command(
        "attach",
        execute.attach,
        execute.FLAGS,
        "Attach to a running container",
        "attach (POD | TYPE/NAME) -c CONTAINER",
    ),
    Command(
        "port-forward",
        port_forward.run,
        port_forward.FLAGS,
        "Forward one or more local ports to a pod",
        "port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    ),
    Command(
        "cp",
        copy.run,
        copy.FLAGS,
        "Copy files and directories to and from containers",
        "cp <src> <dest>",
    ),
    Command("proxy", proxy.run, proxy.FLAGS, "Run a proxy to the Kubernetes API server", "proxy [--port=PORT]"),
    Command("events", wait.events, wait.EVENTS_FLAGS, "List events"),
    Command("wait", wait.run, wait.FLAGS, "Wait for a specific condition on one or many resources"),
    Command("explain", explain.run, explain.FLAGS, "Get documentation for a resource", "explain TYPE[.FIELD]"),
    Command("auth can-i", auth.can_i, auth.CAN_I_FLAGS, "Check whether an action is allowed"),
    Command("auth whoami", auth.whoami, auth.WHOAMI_FLAGS, "Check self subject attributes"),
    Command("version", about.version, about.VERSION_FLAGS, "Print the client and server version information"),
    Command("api-resources", about.api_resources, about.API_RESOURCES_FLAGS, "Print the supported API resources"),
    Command("api-versions", about.api_versions, (), "Print the supported API versions"),
    Command("cluster-info", about.cluster_info, (), "Display cluster information"),
    Command("config view", config.view, config.VIEW_FLAGS, "Display the kubeconfig"),
    Command("config current-context", config.current_context, (), "Display the current-context"),
    Command("config get-contexts", config.get_contexts, (), "Describe one or many contexts"),
    Command("config get-clusters", config.get_clusters, (), "Display clusters defined in the kubeconfig"),
    Command("config get-users", config.get_users, (), "Display users defined in the kubeconfig"),
    Command(
        "config use-context",
        config.use_context,
        (),
        "Set the current-context in a kubeconfig file",
        "config use-context CONTEXT_NAME",
    ),
    Command(
        "config set-context",
        config.set_context,
        config.SET_CONTEXT_FLAGS,
        "Set a context entry in kubeconfig",
        "config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname]"
        " [--namespace=namespace]",
    ),
    Command(
        "config set-cluster",
        config.set_cluster,
        config.SET_CLUSTER_FLAGS,
        "Set a cluster entry in kubeconfig",
        "config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority]"
        " [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
    ),
    Command(
        "config set-credentials",
        config.set_credentials,
        config.SET_CREDENTIALS_FLAGS,
        "Set a user entry in kubeconfig",
        "config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile]"
        " [--token=bearer_token]",
    ),
    Command("config delete-context", config.delete_context, (), "Delete the specified context from the kubeconfig"),
    Command("config delete-cluster", config.delete_cluster, (), "Delete the specified cluster from the kubeconfig"),
    Command("config delete-user", config.delete_user, (), "Delete the specified user from the kubeconfig"),
)


def fill() -> None:
    """Register every command, and the other names that some have."""
    register(*_CREATE, *_CHANGE, *_LOOK)
    known = {command.name: command for command in _CREATE}
    for alias, name in _ALIASES.items():
        original = known[name]
        register(Command(alias, original.run, original.flags, original.summary, original.usage))
