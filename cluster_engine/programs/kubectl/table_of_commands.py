"""Which commands there are: the one list that help, parsing and "did you mean" read."""

from cluster_engine.programs.kubectl.commands import Command, register

_CREATE = (
    Command(
        "create",
        "create.from_files",
        "create.FILE_FLAGS",
        "Create a resource from a file or from flags",
        "create -f FILENAME",
    ),
    Command(
        "create deployment",
        "create.deployment",
        "create.DEPLOYMENT_FLAGS",
        "Create a deployment with the specified name",
        "create deployment NAME --image=image -- [COMMAND] [args...]",
    ),
    Command(
        "create namespace", "create.namespace", "create.COMMON_FLAGS", "Create a namespace", "create namespace NAME"
    ),
    Command("create serviceaccount", "create.service_account", "create.COMMON_FLAGS", "Create a service account"),
    Command("create configmap", "create_data.config_map", "create_data.DATA_FLAGS", "Create a config map"),
    Command(
        "create secret generic",
        "create_data.secret_generic",
        "create_data.SECRET_FLAGS",
        "Create a secret from a local file, directory, or literal value",
    ),
    Command("create secret tls", "create_data.secret_tls", "create_data.TLS_FLAGS", "Create a TLS secret"),
    Command(
        "create secret docker-registry",
        "create_data.secret_docker_registry",
        "create_data.REGISTRY_FLAGS",
        "Create a secret for use with a Docker registry",
    ),
    Command("create job", "create_jobs.job", "create_jobs.JOB_FLAGS", "Create a job with the specified name"),
    Command("create cronjob", "create_jobs.cron_job", "create_jobs.CRON_JOB_FLAGS", "Create a cron job"),
    Command("create ingress", "create_more.ingress", "create_more.INGRESS_FLAGS", "Create an ingress"),
    Command("create quota", "create_more.quota", "create_more.QUOTA_FLAGS", "Create a quota with the specified name"),
    Command(
        "create poddisruptionbudget", "create_more.budget", "create_more.BUDGET_FLAGS", "Create a pod disruption budget"
    ),
    Command(
        "create priorityclass", "create_more.priority_class", "create_more.PRIORITY_FLAGS", "Create a priority class"
    ),
    Command("create token", "create_token.token", "create_token.FLAGS", "Request a service account token"),
    Command(
        "create clusterrolebinding",
        "create_bindings.cluster_role_binding",
        "create_bindings.CLUSTER_FLAGS",
        "Create a cluster role binding for a particular cluster role",
        "create clusterrolebinding NAME --clusterrole=NAME [--user=NAME] [--serviceaccount=NAMESPACE:NAME]",
    ),
    Command(
        "create rolebinding",
        "create_bindings.role_binding",
        "create_bindings.NAMESPACED_FLAGS",
        "Create a role binding for a particular role or cluster role",
        "create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=NAME] [--serviceaccount=NAMESPACE:NAME]",
    ),
    Command(
        "create role",
        "create_roles.role",
        "create_roles.FLAGS",
        "Create a role with single rule",
        "create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]",
    ),
    Command(
        "create clusterrole",
        "create_roles.cluster_role",
        "create_roles.CLUSTER_FLAGS",
        "Create a cluster role",
        "create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename]",
    ),
    Command(
        "create service clusterip",
        "create_services.cluster_ip",
        "create_services.CLUSTER_IP_FLAGS",
        "Create a ClusterIP service",
    ),
    Command(
        "create service nodeport",
        "create_services.node_port",
        "create_services.NODE_PORT_FLAGS",
        "Create a NodePort service",
    ),
    Command(
        "create service loadbalancer",
        "create_services.load_balancer",
        "create_services.LOAD_BALANCER_FLAGS",
        "Create a LoadBalancer service",
    ),
    Command(
        "create service externalname",
        "create_services.external_name",
        "create_services.EXTERNAL_NAME_FLAGS",
        "Create an ExternalName service",
    ),
    Command("run", "run_pod.run", "run_pod.FLAGS", "Run a particular image on the cluster", "run NAME --image=image"),
)
ALIASES = {
    "create deploy": "create deployment",
    "create ns": "create namespace",
    "create sa": "create serviceaccount",
    "create cm": "create configmap",
    "set sa": "set serviceaccount",
    "top no": "top node",
    "top nodes": "top node",
    "top po": "top pod",
    "top pods": "top pod",
    "create cj": "create cronjob",
    "create ing": "create ingress",
    "create pdb": "create poddisruptionbudget",
    "create pc": "create priorityclass",
    "create svc clusterip": "create service clusterip",
    "create svc nodeport": "create service nodeport",
    "create svc loadbalancer": "create service loadbalancer",
    "create svc externalname": "create service externalname",
}
_CHANGE = (
    Command(
        "apply view-last-applied",
        "last_applied.view",
        "last_applied.VIEW_FLAGS",
        "View the latest last-applied-configuration annotations of a resource/object",
    ),
    Command(
        "apply set-last-applied",
        "last_applied.set_",
        "last_applied.SET_FLAGS",
        "Set the last-applied-configuration annotation on a live object to match the contents of a file",
        "apply set-last-applied -f FILENAME",
    ),
    Command(
        "apply edit-last-applied",
        "last_applied.edit",
        "edit.FLAGS",
        "Edit latest last-applied-configuration annotations of a resource/object",
        "apply edit-last-applied (RESOURCE/NAME | -f FILENAME)",
    ),
    Command(
        "apply", "apply.run", "apply.FLAGS", "Apply a configuration to a resource by file name", "apply -f FILENAME"
    ),
    Command(
        "delete",
        "delete.run",
        "delete.FLAGS",
        "Delete resources",
        "delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    ),
    Command(
        "scale",
        "scale.run",
        "scale.FLAGS",
        "Set a new size for a deployment or replica set",
        "scale --replicas=COUNT TYPE NAME",
    ),
    Command("autoscale", "autoscale.run", "autoscale.FLAGS", "Auto-scale a deployment, replica set, or stateful set"),
    Command(
        "diff", "diff.run", "diff.FLAGS", "Diff the live version against a would-be applied version", "diff -f FILENAME"
    ),
    Command("expose", "expose.run", "expose.FLAGS", "Expose a resource as a new Kubernetes service"),
    Command("label", "labels.label", "labels.FLAGS", "Update the labels on a resource"),
    Command("annotate", "labels.annotate", "labels.FLAGS", "Update the annotations on a resource"),
    Command("edit", "edit.run", "edit.FLAGS", "Edit a resource on the server", "edit (RESOURCE/NAME | -f FILENAME)"),
    Command("patch", "patch.run", "patch.FLAGS", "Update fields of a resource"),
    Command(
        "replace", "replace.run", "replace.FLAGS", "Replace a resource by file name or stdin", "replace -f FILENAME"
    ),
    Command("set image", "set_template.image", "set_template.FLAGS", "Update the image of a pod template"),
    Command(
        "set env",
        "set_template.env",
        "set_template.ENV_FLAGS",
        "Update environment variables on a pod template",
        "set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
    ),
    Command(
        "set resources",
        "set_template.resources",
        "set_template.RESOURCES_FLAGS",
        "Update resource requests/limits on objects with pod templates",
        "set resources TYPE NAME [--limits=LIMITS] [--requests=REQUESTS]",
    ),
    Command(
        "set serviceaccount",
        "set_template.service_account",
        "set_template.FLAGS",
        "Update the service account of a resource",
    ),
    Command("set selector", "set_objects.selector", "set_objects.SELECTOR_FLAGS", "Set the selector on a resource"),
    Command(
        "set subject",
        "set_objects.subject",
        "set_objects.SUBJECT_FLAGS",
        "Update the user, group, or service account in a role binding or cluster role binding",
    ),
    Command("rollout status", "rollout.status", "rollout.STATUS_FLAGS", "Show the status of the rollout"),
    Command("rollout history", "rollout_history.history", "rollout_history.HISTORY_FLAGS", "View rollout history"),
    Command("rollout undo", "rollout_history.undo", "rollout_history.UNDO_FLAGS", "Undo a previous rollout"),
    Command("rollout restart", "rollout.restart", "rollout.CHANGE_FLAGS", "Restart a resource"),
    Command("rollout pause", "rollout.pause", "rollout.CHANGE_FLAGS", "Mark the provided resource as paused"),
    Command("rollout resume", "rollout.resume", "rollout.CHANGE_FLAGS", "Resume a paused resource"),
    Command("cordon", "node_commands.cordon", "node_commands.CORDON_FLAGS", "Mark node as unschedulable"),
    Command("uncordon", "node_commands.uncordon", "node_commands.CORDON_FLAGS", "Mark node as schedulable"),
    Command("drain", "node_commands.drain", "node_commands.DRAIN_FLAGS", "Drain node in preparation for maintenance"),
    Command("taint", "node_commands.taint", "node_commands.TAINT_FLAGS", "Update the taints on one or more nodes"),
)
_LOOK = (
    Command("get", "get.run", "get.FLAGS", "Display one or many resources", "get (TYPE [NAME] | TYPE/NAME ...)"),
    Command(
        "describe",
        "describe.command.run",
        "describe.command.FLAGS",
        "Show details of a specific resource or group of resources",
    ),
    Command(
        "logs",
        "logs.run",
        "logs.FLAGS",
        "Print the logs for a container in a pod",
        "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    ),
    Command(
        "exec",
        "execute.run",
        "execute.FLAGS",
        "Execute a command in a container",
        "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    ),
    Command(
        "attach",
        "execute.attach",
        "execute.FLAGS",
        "Attach to a running container",
        "attach (POD | TYPE/NAME) -c CONTAINER",
    ),
    Command(
        "port-forward",
        "port_forward.run",
        "port_forward.FLAGS",
        "Forward one or more local ports to a pod",
        "port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    ),
    Command(
        "cp",
        "copy.run",
        "copy.FLAGS",
        "Copy files and directories to and from containers",
        "cp <src> <dest>",
    ),
    Command("proxy", "proxy.run", "proxy.FLAGS", "Run a proxy to the Kubernetes API server", "proxy [--port=PORT]"),
    Command(
        "debug",
        "debug.run",
        "debug.FLAGS",
        "Create debugging sessions for troubleshooting workloads and nodes",
        "debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
    ),
    Command("events", "events.run", "events.FLAGS", "List events"),
    Command("wait", "wait.run", "wait.FLAGS", "Wait for a specific condition on one or many resources"),
    Command("explain", "explain.run", "explain.FLAGS", "Get documentation for a resource", "explain TYPE[.FIELD]"),
    Command("auth can-i", "auth.can_i", "auth.CAN_I_FLAGS", "Check whether an action is allowed"),
    Command("auth whoami", "auth.whoami", "auth.WHOAMI_FLAGS", "Experimental: Check self subject attributes"),
    Command("version", "about.version", "about.VERSION_FLAGS", "Print the client and server version information"),
    Command("api-resources", "about.api_resources", "about.API_RESOURCES_FLAGS", "Print the supported API resources"),
    Command("api-versions", "about.api_versions", "", "Print the supported API versions"),
    Command("cluster-info", "about.cluster_info", "", "Display cluster information"),
    Command("cluster-info dump", "dump.dump", "dump.FLAGS", "Dump relevant information for debugging and diagnosis"),
    Command("completion", "completion.run", "", "Output shell completion code for the specified shell"),
    Command(
        "auth reconcile",
        "reconcile.run",
        "reconcile.FLAGS",
        "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
        "auth reconcile -f FILENAME",
    ),
    Command("top node", "elsewhere.top", "elsewhere.TOP_NODE_FLAGS", "Display resource (CPU/memory) usage of nodes"),
    Command("top pod", "elsewhere.top", "elsewhere.TOP_POD_FLAGS", "Display resource (CPU/memory) usage of pods"),
    Command(
        "certificate approve",
        "certificate.approve",
        "certificate.FLAGS",
        "Approve a certificate signing request",
    ),
    Command("certificate deny", "certificate.deny", "certificate.FLAGS", "Deny a certificate signing request"),
    Command(
        "plugin list",
        "elsewhere.plugins",
        "elsewhere.PLUGIN_FLAGS",
        "List all visible plugin executables on a user's PATH",
    ),
    Command("alpha", "elsewhere.alpha", "", "Commands for features in alpha"),
    Command(
        "config view",
        "config.view",
        "config.VIEW_FLAGS",
        "Display merged kubeconfig settings or a specified kubeconfig file",
    ),
    Command("config current-context", "config.current_context", "", "Display the current-context"),
    Command("config get-contexts", "config.get_contexts", "config.GET_CONTEXTS_FLAGS", "Describe one or many contexts"),
    Command("config get-clusters", "config.get_clusters", "", "Display clusters defined in the kubeconfig"),
    Command("config get-users", "config.get_users", "", "Display users defined in the kubeconfig"),
    Command(
        "config use-context",
        "config.use_context",
        "",
        "Set the current-context in a kubeconfig file",
        "config use-context CONTEXT_NAME",
    ),
    Command(
        "config set-context",
        "config.set_context",
        "config.SET_CONTEXT_FLAGS",
        "Set a context entry in kubeconfig",
        "config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname]"
        " [--namespace=namespace]",
    ),
    Command(
        "config set-cluster",
        "config.set_cluster",
        "config.SET_CLUSTER_FLAGS",
        "Set a cluster entry in kubeconfig",
        "config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority]"
        " [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
    ),
    Command(
        "config set-credentials",
        "config.set_credentials",
        "config.SET_CREDENTIALS_FLAGS",
        "Set a user entry in kubeconfig",
        "config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile]"
        " [--token=bearer_token]",
    ),
    Command("config rename-context", "config.rename_context", "", "Rename a context from the kubeconfig file"),
    Command(
        "config set", "config_paths.set_value", "config_paths.FLAGS", "Set an individual value in a kubeconfig file"
    ),
    Command("config unset", "config_paths.unset", "", "Unset an individual value in a kubeconfig file"),
    Command("config delete-context", "config.delete_context", "", "Delete the specified context from the kubeconfig"),
    Command("config delete-cluster", "config.delete_cluster", "", "Delete the specified cluster from the kubeconfig"),
    Command("config delete-user", "config.delete_user", "", "Delete the specified user from the kubeconfig"),
)


def fill() -> None:
    """Register every command, and the other names that some have."""
    register(*_CREATE, *_CHANGE, *_LOOK)
    known = {command.name: command for command in (*_CREATE, *_CHANGE, *_LOOK)}
    for alias, name in ALIASES.items():
        original = known[name]
        register(Command(alias, original.runs, original.options, original.summary, original.usage))
