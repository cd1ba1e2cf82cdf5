"""The API server: a request's path from the port to etcd and, as watch events, back.

    serving → request_info → authentication → impersonation → authorization → admission → registry → storage
                                                                  serving ← watch_cache ← etcd's watches

Each is a module or a folder of that name, in the order of the real handler chain (DefaultBuildHandlerChain in
apiserver/pkg/server/config.go); `main` puts them together.
"""
