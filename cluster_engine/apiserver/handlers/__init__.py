"""From an authorized request to the registry and back: media types, bodies, options, verbs, watches, discovery."""
