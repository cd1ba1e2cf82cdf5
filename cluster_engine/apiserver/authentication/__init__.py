"""Who is asking: client certificates, service-account tokens, or nobody in particular.

Authenticators are tried in turn and the first that recognises the credentials wins. None given: `system:anonymous`.
Given and bad: 401, whatever else might have let the request in.
"""
