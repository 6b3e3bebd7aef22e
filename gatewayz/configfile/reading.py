"""YAML or JSON bytes to a tree that knows its lines. A hostile file costs little.

Values stay text here; the schema says how each is read, so `0.10` is exact and `no` can be a name.
"""

import re
from dataclasses import dataclass, field

import yaml

from gatewayz.configfile.problems import Invalid, Problem, shown

MAX_BYTES = 20 * 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 2_000_000
MAX_ALIASED = 100_000  # values that aliases may stand for, all together
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNPRINTABLE = yaml.reader.Reader.NON_PRINTABLE
ESCAPE = re.compile(r"\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value's own text. plain: written without quotes."""

    text: str
    plain: bool
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    line: int
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[Entry, ...]
    line: int


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Open:
    """A list or mapping whose end has not come yet. weight: the values in it, aliases followed."""

    line: int
    mapping: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    keys: list[Scalar] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    weight: int = 1

    def awaits_key(self) -> bool:
        return self.mapping and len(self.keys) == len(self.items)

    def step(self) -> str:
        """Return the part of a path that leads to the value that comes next."""
        if not self.mapping:
            return f"[{len(self.items)}]"
        return f".{shown(self.keys[-1].text)}" if self.keys else ""

    def node(self) -> Node:
        if not self.mapping:
            return Sequence(tuple(self.items), self.line)
        pairs = zip(self.keys, self.items, strict=True)
        return Mapping(tuple(Entry(k.text, k.line, value) for k, value in pairs), self.line)


def read(data: bytes) -> tuple[Node | None, list[Problem]]:
    """Return the file's tree and what is wrong with it; raise Invalid where no tree can be made."""
    text = printable(decoded(data))
    tree = Tree()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            tree.hear(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context
        line = min(mark.line + 1, text.count("\n") + 1) if mark else 0
        raise Invalid([*tree.problems, Problem(f"invalid YAML: {what}", line=line)]) from None
    except yaml.YAMLError as error:
        raise Invalid([Problem(f"invalid YAML: {shown(error, 200)}")]) from None
    return tree.root, tree.problems


def decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Invalid([Problem(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid([Problem("the file is not UTF-8", line=line)]) from None


def printable(text: str) -> str:
    """Refuse control characters; join JSON's surrogate pairs, which YAML does not know."""
    found = UNPRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise Invalid([Problem(f"invalid YAML: the character {found.group()!r}", line=line)])
    if "\\u" in text and text.lstrip().startswith("{"):
        return ESCAPE.sub(one_character, text)
    return text


def one_character(escape: re.Match[str]) -> str:
    high, low = escape.groups()
    try:
        pair = bytes.fromhex((high or "") + (low or ""))
    except ValueError:
        return escape.group()
    return pair.decode("utf-16-be") if pair else escape.group()


class Tree:
    """Builds the tree from YAML's events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.stack: list[Open] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.aliased = 0
        self.documents = 0
        self.values = 0

    def hear(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1
        if getattr(event, "tag", None):
            self.problem(f"tags such as {shown(event.tag)} are not used here", line)
        if isinstance(event, yaml.ScalarEvent):
            self.add(Scalar(event.value, not event.style, line), 1, event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self.open(isinstance(event, yaml.MappingStartEvent), line, event.anchor)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self.stack.pop()
            self.add(done.node(), done.weight, done.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self.follow(event.anchor, line)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise Invalid([*self.problems, Problem("a second document begins here", line=line)])

    def open(self, mapping: bool, line: int, anchor: str | None) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise Invalid([*self.problems, Problem(f"deeper than {MAX_DEPTH} levels", line=line)])
        if self.stack and self.stack[-1].awaits_key():
            raise Invalid([*self.problems, Problem("a key must be text", self.path(), line)])
        self.stack.append(Open(line, mapping, anchor))

    def follow(self, anchor: str, line: int) -> None:
        if anchor not in self.anchors:
            raise Invalid([*self.problems, Problem(f"nothing is named &{anchor} yet", line=line)])
        node, weight = self.anchors[anchor]
        self.aliased += weight
        if self.aliased > MAX_ALIASED:
            raise Invalid([Problem(f"aliases repeat more than {MAX_ALIASED:,} values", line=line)])
        if self.stack and self.stack[-1].awaits_key() and not isinstance(node, Scalar):
            raise Invalid([*self.problems, Problem("a key must be text", self.path(), line)])
        self.add(node, weight, None)

    def add(self, node: Node, weight: int, anchor: str | None) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            raise Invalid([Problem(f"more than {MAX_VALUES:,} values", line=node.line)])
        if anchor:
            self.anchors[anchor] = (node, weight)
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.weight += weight
        if parent.awaits_key() and isinstance(node, Scalar):
            self.key(parent, node)
        else:
            parent.items.append(node)

    def key(self, parent: Open, node: Scalar) -> None:
        parent.keys.append(node)
        if node.text in parent.names:
            self.problem("this key is here twice", node.line)
        if node.text == "<<" and node.plain:
            self.problem("merge keys are not used here", node.line)
        parent.names.add(node.text)

    def problem(self, message: str, line: int) -> None:
        self.problems.append(Problem(message, self.path(), line))

    def path(self) -> str:
        return "".join(level.step() for level in self.stack).removeprefix(".")
