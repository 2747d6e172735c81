"""Changes to one definition of the code: found by its name, so that no layout of the text matters.

A definition is a function, method, class or module of the project. Each patch gives the source of
its file with the change, and raises AssertionError where there is nothing to change.
"""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, override

from homeiot_batch.config import ROOT

BLOCKS = (
    ast.AsyncWith,
    ast.ClassDef,
    ast.For,
    ast.FunctionDef,
    ast.If,
    ast.Try,
    ast.While,
    ast.With,
)


@dataclass(frozen=True)
class Patch:
    """A change of one file.

    Where the file lies in the checkout, and from its source to the new one.
    """

    file: Path
    change: Callable[[str], str]

    def apply(self, checkout: Path) -> None:
        """Change the file below `checkout`."""
        file = checkout / self.file
        file.write_text(self.change(file.read_text()))


def body(definition: Any, source: str) -> Patch:
    """The function does only what `source` says."""

    def change(function: ast.AST) -> bool:
        assert isinstance(function, ast.FunctionDef)
        function.body = ast.parse(source, mode="exec").body
        return True

    return _of(definition, change)


def instead(definition: Any, holding: str, source: str) -> Patch:
    """Simple statements whose text holds `holding` become `source`."""
    statements = _Statements(holding, source)
    return _of(definition, statements.replace)


def without(definition: Any, called: Any) -> Patch:
    """Simple statements that hold a call of `called`, or that text, are taken out."""
    return instead(definition, called if isinstance(called, str) else f"{_name(called)}(", "pass")


def without_raise(definition: Any, number: int = 1) -> Patch:
    """The definition's raise statement of that number is taken out."""

    def change(function: ast.AST) -> bool:
        raises = [node for node in _in_order(function) if isinstance(node, ast.Raise)]
        statements = _Statements("", "pass", raises[number - 1])
        return statements.replace(function)

    return _of(definition, change)


def gives(definition: Any, called: Any, value: str) -> Patch:
    """Each call of `called` becomes `value`."""
    name = _name(called)

    def is_call(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name

    return _of(definition, _Expressions(is_call, value).replace)


def expression(definition: Any, old: str, new: str) -> Patch:
    """The expression `old` becomes `new`."""
    wanted = ast.dump(ast.parse(old, mode="eval").body)
    return _of(definition, _Expressions(lambda node: ast.dump(node) == wanted, new).replace)


def handler(definition: Any, error: type[BaseException], source: str) -> Patch:
    """Who handles `error` does only what `source` says."""

    def change(function: ast.AST) -> bool:
        found = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.ExceptHandler)
            and ast.unparse(node.type or node) == _name(error)
        ]
        for node in found:
            node.body = ast.parse(source).body
        return bool(found)

    return _of(definition, change)


def keyword(definition: Any, name: str, value: str) -> Patch:
    """The keyword argument becomes `value`."""

    def change(function: ast.AST) -> bool:
        found = [n for n in ast.walk(function) if isinstance(n, ast.keyword) and n.arg == name]
        for node in found:
            node.value = ast.parse(value, mode="eval").body
        return bool(found)

    return _of(definition, change)


def wording(definition: Any, old: str, new: str) -> Patch:
    """Inside strings, such as SQL, `old` becomes `new`."""

    def change(function: ast.AST) -> bool:
        found = [
            n for n in ast.walk(function) if isinstance(n, ast.Constant) and old in str(n.value)
        ]
        for node in found:
            node.value = str(node.value).replace(old, new)
        return bool(found)

    return _of(definition, change)


def text(file: str, old: str, new: str) -> Patch:
    """A file that is no Python: `old`, which is there once, becomes `new`."""

    def change(source: str) -> str:
        assert source.count(old) == 1, f"{file} has {source.count(old)} times {old!r}"
        return source.replace(old, new)

    return Patch(Path(file), change)


class _Statements:
    """Replaces simple statements: those whose text holds something, or the `only` one."""

    def __init__(self, holding: str, source: str, only: ast.stmt | None = None) -> None:
        self.holding = holding
        self.source = source
        self.only = only

    def replace(self, definition: ast.AST) -> bool:
        """Whether a statement was replaced."""
        found = False
        for parent in ast.walk(definition):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(parent, name, None)
                if isinstance(block, list):
                    new = [piece for statement in block for piece in self._new(statement)]
                    found = found or new != block
                    setattr(parent, name, new)
        return found

    def _new(self, statement: ast.stmt) -> list[ast.stmt]:
        if self._is_meant(statement):
            return ast.parse(self.source).body
        return [statement]

    def _is_meant(self, statement: ast.stmt) -> bool:
        if self.only is not None:
            return statement is self.only
        return not isinstance(statement, BLOCKS) and self.holding in ast.unparse(statement)


class _Expressions(ast.NodeTransformer):
    """Replaces expressions."""

    def __init__(self, is_meant: Callable[[ast.AST], bool], value: str) -> None:
        self._is_meant = is_meant
        self._value = value
        self._found = False

    def replace(self, definition: ast.AST) -> bool:
        """Whether an expression was replaced."""
        self.generic_visit(definition)
        return self._found

    @override
    def visit(self, node: ast.AST) -> ast.AST:
        if not self._is_meant(node):
            return self.generic_visit(node)
        self._found = True
        return ast.parse(self._value, mode="eval").body


def _of(definition: Any, change: Callable[[ast.AST], bool]) -> Patch:
    file = Path(inspect.getsourcefile(inspect.unwrap(definition)) or "").relative_to(ROOT)
    where = [] if isinstance(definition, ModuleType) else definition.__qualname__.split(".")

    def patched(source: str) -> str:
        tree = ast.parse(source)
        place: ast.AST = tree
        for name in where:
            place = next(n for n in ast.iter_child_nodes(place) if getattr(n, "name", None) == name)
        assert change(place), f"nothing to change in {'.'.join(where)} of {file}"
        return f"{ast.unparse(ast.fix_missing_locations(tree))}\n"

    return Patch(file, patched)


def _in_order(definition: ast.AST) -> list[ast.stmt]:
    statements = [node for node in ast.walk(definition) if isinstance(node, ast.stmt)]
    return sorted(statements, key=lambda node: node.lineno)


def _name(definition: Any) -> str:
    return definition if isinstance(definition, str) else definition.__name__
