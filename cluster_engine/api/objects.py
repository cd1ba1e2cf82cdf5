"""The two types that everything passes around: JSON, any value of it, and Object, which has names."""

from typing import Any, TypeAlias

JSON: TypeAlias = Any
Object: TypeAlias = dict[str, Any]
