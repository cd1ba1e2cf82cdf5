"""The two types that everything in `api` passes around: JSON, and a JSON object."""

from typing import Any, TypeAlias

JSON: TypeAlias = Any
Object: TypeAlias = dict[str, Any]
