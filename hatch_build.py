"""What the build makes from our own text: the locked dependencies, the protobuf modules, and the page as one text.

`*.proto` beside `*_pb2.py`: the first is in the repository, the second is made here, at install time.
`python hatch_build.py` makes the modules and the page alone.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
RPC = ROOT / "cluster_engine" / "rpc"


def compile_protobuf() -> None:
    """Write `*_pb2.py` and `*_pb2.pyi` beside every `*.proto` of `cluster_engine/rpc`."""
    import grpc_tools
    from grpc_tools import protoc

    sources = [str(path.relative_to(ROOT)) for path in sorted(RPC.glob("*.proto"))]
    if not sources:
        return
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{ROOT}", f"-I{well_known}", f"--python_out={ROOT}", f"--pyi_out={ROOT}"]
    if protoc.main([*arguments, *(str(ROOT / source) for source in sources)]) != 0:
        raise SystemExit("protoc refused one of cluster_engine/rpc/*.proto; its message is above")


def write_page() -> None:
    """Write the frame of runs in one HTML file, where the page's modules have been fetched."""
    sys.path.insert(0, str(ROOT))
    from visualizer import one_file

    one_file.write()


if __name__ == "__main__":
    compile_protobuf()
    write_page()
    sys.exit(0)

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # noqa: E402
from hatchling.metadata.plugin.interface import MetadataHookInterface  # noqa: E402


class ProtobufModules(BuildHookInterface[Any]):
    """Make what is made of our text before anything is packed or installed, editable installs included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a build."""
        compile_protobuf()
        write_page()


class LockedDependencies(MetadataHookInterface):
    """What an installed Glassplane needs, in the words of requirements/runtime.in."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling while it reads pyproject.toml."""
        lines = (ROOT / "requirements" / "runtime.in").read_text().splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]
