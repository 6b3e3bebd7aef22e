"""The file's tree to the rows that it wants, by the schema. Pure; goes on after every problem."""

from dataclasses import dataclass, field

from gatewayz.configfile.problems import Problem, nearest, shown
from gatewayz.configfile.reading import Entry, Mapping, Node, Scalar, Sequence
from gatewayz.configfile.scalars import Wrong, is_null
from gatewayz.configfile.schema import BLOCK, SECTIONS, Key, Kind

VERSION = "1"
SUGGESTIONS = 200  # after so many problems, near words are no longer looked for


@dataclass(slots=True)
class Wanted:
    """A row that the file describes. values: by field; broken: fields whose value was refused."""

    kind: Kind
    path: str
    line: int
    values: dict[str, object]
    lines: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def problem(self, message: str, name: str = "") -> Problem:
        """Return a problem of the row, or of its field `name`, at its place in the file."""
        key = None if name == self.kind.shorthand else self.kind.by_field.get(name)
        path = f"{self.path}.{key.path}" if key else self.path
        return Problem(message, path, self.lines.get(name, self.line))

    @property
    def key(self) -> tuple[object, ...]:
        return tuple(self.values.get(name) for name in self.kind.identity)


@dataclass(slots=True)
class Document:
    """What a file says. sections: those present, with their lines; complete: lists given whole."""

    rows: list[Wanted] = field(default_factory=list)
    sections: dict[str, int] = field(default_factory=dict)
    complete: set[tuple[str, object]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def unknown(self, entry: Entry, path: str, known: list[str]) -> None:
        hint = nearest(entry.key, known) if len(self.problems) < SUGGESTIONS else ""
        self.problems.append(Problem(f"unknown key{hint}", f"{path}{shown(entry.key)}", entry.line))


def interpret(root: Node | None) -> Document:
    document = Document()
    if not isinstance(root, Mapping):
        message = "expected a mapping that begins with `version: 1`"
        document.problems.append(Problem(message, line=root.line if root else 1))
        return document
    read_version(document, root)
    for entry in root.entries:
        if entry.key in SECTIONS:
            document.sections.setdefault(entry.key, entry.line)
            read_section(document, entry, SECTIONS[entry.key])
        elif entry.key != "version":
            document.unknown(entry, "", ["version", *SECTIONS])
    return document


def read_version(document: Document, root: Mapping) -> None:
    found = next((entry for entry in root.entries if entry.key == "version"), None)
    value = found and found.value
    if found is None:
        document.problems.append(Problem("missing; write `version: 1`", "version", root.line))
    elif not isinstance(value, Scalar) or not value.plain or value.text != VERSION:
        document.problems.append(Problem(f"expected {VERSION}", "version", found.line))


def read_section(document: Document, entry: Entry, kind: Kind) -> None:
    name, node = entry.key, entry.value
    if kind is BLOCK:
        read_list(document, kind, node, Wanted(kind, name, entry.line, {}), "")
    elif not isinstance(node, Mapping):
        document.problems.append(Problem("expected a mapping", name, entry.line))
    else:
        for item in node.entries:
            path = f"{name}.{shown(item.key, 250)}"
            row = Wanted(kind, path, item.line, {kind.identity[0]: item.key})
            read_row(document, row, item.value)


def read_list(document: Document, kind: Kind, node: Node, owner: Wanted, name: str) -> None:
    """Read the rows that `owner` lists under `name`."""
    path = f"{owner.path}.{name}" if name else owner.path
    if not isinstance(node, Sequence):
        document.problems.append(
            Problem("expected a list", path, owner.lines.get(name, owner.line))
        )
        return
    for index, item in enumerate(node.items):
        row = Wanted(kind, f"{path}[{index}]", item.line, {})
        if kind.parent:
            row.values[kind.parent] = owner.key[0]
        if "step" in kind.identity:
            row.values["step"] = index
        read_row(document, row, item)


def read_row(document: Document, row: Wanted, node: Node) -> None:
    document.rows.append(row)
    if row.kind.shorthand:
        read_value(document, row, row.kind.by_field[row.kind.shorthand], node, row.line)
    elif isinstance(node, Mapping):
        read_keys(document, row, node, "")
    else:
        document.problems.append(Problem("expected a mapping", row.path, row.line))
        row.broken.update(row.kind.by_field)


def read_keys(document: Document, row: Wanted, node: Mapping, group: str) -> None:
    path = f"{row.path}.{group}." if group else f"{row.path}."
    for entry in node.entries:
        key = row.kind.by_place.get((group, entry.key))
        if key is not None:
            read_value(document, row, key, entry.value, entry.line)
        elif not group and entry.key in row.kind.groups:
            read_group(document, row, entry)
        elif not group and entry.key in row.kind.lists:
            row.lines[entry.key] = entry.line
            child = row.kind.lists[entry.key]
            document.complete.add((child.name, row.key[0]))
            read_list(document, child, entry.value, row, entry.key)
        else:
            document.unknown(entry, path, row.kind.known(group))


def read_group(document: Document, row: Wanted, entry: Entry) -> None:
    if isinstance(entry.value, Mapping):
        read_keys(document, row, entry.value, entry.key)
        return
    document.problems.append(Problem("expected a mapping", f"{row.path}.{entry.key}", entry.line))
    row.broken.update(
        key.field for (group, _), key in row.kind.by_place.items() if group == entry.key
    )


def read_value(document: Document, row: Wanted, key: Key, node: Node, line: int) -> None:
    row.lines[key.field] = line
    try:
        value = None if key.nullable and is_null(node) else key.read(node)
        if not key.member:
            row.values[key.field] = value
        elif value not in (None, []):
            parts = row.values.setdefault(key.field, {})
            parts[key.member] = value  # type: ignore[index]
    except Wrong as wrong:
        row.broken.add(key.field)
        place = row.problem(wrong.message, key.field)
        tail = f".{key.member}{wrong.tail}" if key.member else wrong.tail
        document.problems.append(Problem(wrong.message, place.path + tail, wrong.line or line))
