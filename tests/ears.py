"""A tap for tests that keeps what it hears (`cluster_engine.world.tap`)."""

from cluster_engine.world.tap import Connection, Note, Segment


class Ears:
    """Keeps connections, segments and notes, in the order in which they came."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.segments: list[Segment] = []
        self.notes: list[Note] = []

    def connection(self, connection: Connection) -> None:
        self.connections.append(connection)

    def accepted(self, connection: int, process: str) -> None:
        """Who answers is not kept."""

    def segment(self, segment: Segment) -> None:
        self.segments.append(segment)

    def secret(self, line: str) -> None:
        """Keys are not kept."""

    def note(self, note: Note) -> None:
        self.notes.append(note)

    def noted(self, kind: str) -> list[Note]:
        """Give the notes of a kind."""
        return [note for note in self.notes if note.kind == kind]
