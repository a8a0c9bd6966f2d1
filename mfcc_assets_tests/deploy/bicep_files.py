"""Reads parameters, modules, resources, outputs and references from the syntax trees of Bicep files."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from mfcc_assets_tests.services.processes import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
FOLDER = DEPLOY / "bicep"
MODULES = FOLDER / "modules"
FILES = sorted(FOLDER.rglob("*.bicep"))
PARAMETERS = sorted(FOLDER.glob("*.bicepparam"))


@dataclass(frozen=True)
class Parameter:
    name: str
    has_default: bool
    is_secure: bool


@dataclass(frozen=True)
class Module:
    """A use of a module in another file, with the names of its arguments."""

    name: str
    file: Path
    given: frozenset[str]


@dataclass(frozen=True)
class Resource:
    name: str
    type: str
    body: Node


class BicepFile:
    """A Bicep file. The grammar does not know parameter files, so their parameters are parsed as variables."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        if path.suffix == ".bicepparam":
            lines = self.text.replace("using 'main.bicep'", "").splitlines()
            self.text = "\n".join(f"var{line[5:]}" if line.startswith("param") else line for line in lines)
        self._bytes = self.text.encode()
        self.root = Parser(Language(tree_sitter_bicep.language())).parse(self._bytes).root_node

    def text_of(self, node: Node) -> str:
        return self._bytes[node.start_byte : node.end_byte].decode()

    def value_of(self, node: Node) -> str:
        """Return the content of a string, or the text of any other node."""
        return self.text_of(node).strip("'")

    @cached_property
    def faults(self) -> list[str]:
        """The places that are not valid Bicep."""
        wrong = [node for node in walk(self.root) if node.type == "ERROR" or node.is_missing]
        return [f"{self.path.name}:{node.start_point[0] + 1}: {self.text_of(node)[:60]}" for node in wrong]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        found, decorators = {}, ""
        for node in self.root.children:
            if node.type == "decorators":
                decorators = self.text_of(node)
            elif node.type == "parameter_declaration":
                name = self.text_of(node.named_children[0])
                has_default = any(child.type == "=" for child in node.children)
                found[name] = Parameter(name, has_default, is_secure="@secure()" in decorators)
                decorators = ""
            elif node.type != "comment":
                decorators = ""
        return found

    @cached_property
    def modules(self) -> dict[str, Module]:
        return {module.name: module for module in self._modules()}

    @cached_property
    def resources(self) -> list[Resource]:
        found = [node for node in walk(self.root) if node.type == "resource_declaration"]
        return [
            Resource(
                self.text_of(node.named_children[0]),
                self.value_of(node.named_children[1]),
                next(child for child in walk(node) if child.type == "object"),
            )
            for node in found
        ]

    @cached_property
    def outputs(self) -> set[str]:
        found = [node for node in self.root.children if node.type == "output_declaration"]
        return {self.text_of(node.named_children[0]) for node in found}

    @cached_property
    def assigned(self) -> dict[str, Node]:
        """The values of the variables, or of the parameters in a parameter file."""
        found = [node for node in self.root.children if node.type == "variable_declaration"]
        return {self.text_of(node.named_children[0]): node.named_children[-1] for node in found}

    @cached_property
    def read_names(self) -> list[str]:
        """All names that are read, with repetitions."""
        return [self.text_of(node) for node in walk(self.root) if node.type == "identifier" and not is_declared(node)]

    def members(self) -> Iterator[list[str]]:
        """Yield the parts of each expression such as ``a.b.c``."""
        for node in walk(self.root):
            if node.type == "member_expression" and node.parent and node.parent.type != "member_expression":
                yield self.text_of(node).replace("!", "").replace("?", "").split(".")

    def properties(self, node: Node) -> dict[str, Node]:
        """Return the values of the properties of an object, by name. If it merges other objects, use the first one."""
        pairs = [child.named_children for child in node.named_children if child.type == "object_property"]
        return {self.value_of(name): value for name, *_, value in pairs}

    def named_values(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of each ``{name: 'A', value: B}``, which is the form of environment variables."""
        for node in walk(self.root):
            if node.type == "object" and {"name", "value"} <= set(properties := self.properties(node)):
                name, value = properties["name"], properties["value"]
                if name.type == "string":
                    yield self.value_of(name), self.value_of(value)

    def _modules(self) -> Iterator[Module]:
        for node in walk(self.root):
            if node.type == "module_declaration":
                body = next(child for child in walk(node) if child.type == "object")
                given = self.properties(self.properties(body)["params"])
                name, path = node.named_children[:2]
                file = self.path.parent / self.value_of(path)
                yield Module(self.text_of(name), file, frozenset(given))


@cache
def read(path: Path) -> BicepFile:
    return BicepFile(path)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def is_declared(node: Node) -> bool:
    """Return whether a name is declared by its parent, and not read."""
    parent = node.parent
    if parent is None:
        return False
    introduces = parent.type.endswith("_declaration") or parent.type == "object_property"
    return introduces and parent.named_children[0] == node


def resource(module: str, kind: str) -> tuple[BicepFile, Resource]:
    file = read(MODULES / f"{module}.bicep")
    (found,) = [each for each in file.resources if each.type.partition("@")[0] == kind]
    return file, found


def settings_of(module: str, kind: str) -> dict[str, str]:
    """Return the text of each property of a resource."""
    file, found = resource(module, kind)
    properties = file.properties(file.properties(found.body)["properties"])
    return {name: file.value_of(value) for name, value in properties.items()}
