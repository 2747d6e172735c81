"""Holds Python code to one thought a line: `make lint` runs it.

usage: scripts/check_density.py FOLDER...         exit code 1 if a bound is broken
"""

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MEDIAN_NODES = 10
NODES_OF_NINE_IN_TEN = 22
CONDITIONALS = 3  # per 100 statements
LOOSE_TYPES = 15  # `dict[str, Any]`
FUNCTION_LINES = 45

NOT_COUNTED = (ast.Import, ast.ImportFrom, ast.Pass)


@dataclass
class Figures:
    """What was counted in all files."""

    statements: int = 0
    # syntax nodes of each simple statement, one without a body
    nodes: list[int] = field(default_factory=list)
    conditionals: int = 0
    loose_types: int = 0
    faults: list[str] = field(default_factory=list)

    def count(self, file: Path) -> None:
        """Add the figures of a file."""
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.IfExp):
                self._count_conditional(file, node)
            elif isinstance(node, ast.Subscript):
                self.loose_types += ast.unparse(node) == "dict[str, Any]"
            elif isinstance(node, ast.stmt) and not _is_docstring(node):
                self._count_statement(file, node)

    def _count_conditional(self, file: Path, node: ast.IfExp) -> None:
        self.conditionals += 1
        inner = [found for found in ast.walk(node) if isinstance(found, ast.IfExp)]
        if len(inner) > 1:
            self.faults.append(f"{file}:{node.lineno}: a conditional expression in another one")

    def _count_statement(self, file: Path, node: ast.stmt) -> None:
        self.statements += 1
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                place = f"{file}:{node.lineno}"
                self.faults.append(f"{place}: {node.name} has {lines} lines")
        if not hasattr(node, "body") and not isinstance(node, NOT_COUNTED):
            self.nodes.append(sum(1 for _ in ast.walk(node)))

    def rows(self) -> Iterator[tuple[str, float, int]]:
        """Name, value and bound of each figure."""
        ninth = sorted(self.nodes)[int(len(self.nodes) * 0.9)]
        share = round(100 * self.conditionals / self.statements, 2)
        yield "syntax nodes a simple statement, median", statistics.median(self.nodes), MEDIAN_NODES
        yield "syntax nodes a simple statement, 90th percentile", ninth, NODES_OF_NINE_IN_TEN
        yield "conditional expressions per 100 statements", share, CONDITIONALS
        yield "uses of dict[str, Any]", self.loose_types, LOOSE_TYPES


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def main(folders: list[str]) -> int:
    """Print the figures, and what is too much."""
    figures = Figures()
    for folder in folders:
        for file in sorted(Path(folder).rglob("*.py")):
            figures.count(file)
    faults = list(figures.faults)
    for name, found, bound in figures.rows():
        print(f"{name}: {found:g} (at most {bound})")
        if found > bound:
            faults.append(f"{name}: {found:g}, at most {bound}")
    for fault in faults:
        print(f"too dense: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
