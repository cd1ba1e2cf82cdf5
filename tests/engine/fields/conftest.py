"""Captures are made as the lens' tests make them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lens"))
