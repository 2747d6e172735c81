"""What failed in a dbt build, a line each: the model or test, the rows, and what to do."""

from collections.abc import Callable, Collection

from homeiot_batch.warehouse.dbt_results import Manifest, Node, Result

Row = dict[str, object]
Rows = Callable[[str], list[Row]]

FAILED = {"error", "fail", "runtime error"}
WARNED = {"warn"}
MOST_ROWS = 3
MOST_COLUMNS = 8
LONGEST_VALUE = 40
LONGEST_REASON = 300

# words of DuckDB's errors, and what to do then
WHAT_TO_DO = {
    "Out of Memory": "set DUCKDB_MEMORY_LIMIT higher, or give the machine more memory",
    "No space left": "make room on the disk",
}


def describe(
    results: Collection[Result], manifest: Manifest, statuses: Collection[str], rows: Rows
) -> list[str]:
    """One line for each result of these statuses. `rows` finds a few rows of a query."""
    chosen = [result for result in results if result.status in statuses]
    return [_line(result, manifest, rows) for result in chosen]


def _line(result: Result, manifest: Manifest, rows: Rows) -> str:
    node = manifest.nodes.get(result.unique_id) or _undeclared(result)
    if result.failures is not None and result.status != "error":
        return _of_rows(result, node, rows)
    return _of_error(result, node)


def lacking_columns(manifest: Manifest, table: str, declared: Collection[str]) -> list[str]:
    """The columns of the raw table that the models read and that are not declared."""
    needed: list[str] = []
    for source in manifest.sources.values():
        if source.name == table:
            needed += source.columns
    return [column for column in needed if column not in declared]


def _undeclared(result: Result) -> Node:
    """A node that the manifest does not have: its kind and name are in its id."""
    kind, _, name = result.unique_id.partition(".")
    return Node(name=name, resource_type=kind)


def _of_rows(result: Result, node: Node, rows: Rows) -> str:
    """A test that found rows."""
    count = result.failures or 0
    found = []
    if result.compiled_code:
        found = rows(result.compiled_code)
    shown = [_row(row, node) for row in found[:MOST_ROWS]]
    if shown and count > len(shown):
        shown.append(f"and {count - len(shown)} more")
    problem = f"{_label(node)} found {_rows_in_words(count)}"
    if shown:
        problem = f"{problem}: {', '.join(shown)}"
    what_to_do = node.config.meta.what_to_do or "undo what was changed in dbt, or report it"
    return f"{problem}; {what_to_do}"


def _rows_in_words(count: int) -> str:
    if count == 1:
        return "1 row"
    return f"{count} rows"


def _of_error(result: Result, node: Node) -> str:
    """A model that could not be built, or a test that could not be asked."""
    lines = (result.message or "no reason given").splitlines()
    # the first line repeats the name where the others give the reason
    reason = _one_line(lines[1:] or lines)
    return f"{_label(node)} failed: {reason}; {_what_to_do(reason, node)}"


def _what_to_do(reason: str, node: Node) -> str:
    for words, advice in WHAT_TO_DO.items():
        if words in reason:
            return advice
    file = "dbt"
    if node.original_file_path:
        file = f"dbt/{node.original_file_path}"
    return f"correct {file}, or report it if it is as it came"


def _label(node: Node) -> str:
    template = node.test_metadata
    if template is None:
        return f"{node.resource_type} {node.name}"
    label = f"{node.resource_type} {template.name}"
    table = _tested_table(node)
    if not table:
        return label
    if node.column_name:
        return f"{label} of {table}.{node.column_name}"
    return f"{label} of {table}"


def _tested_table(node: Node) -> str:
    """The table that the test is about, or "" if dbt names none."""
    candidates = [node.attached_node, *node.depends_on.nodes]
    named = [candidate for candidate in candidates if candidate]
    if not named:
        return ""
    _, _, table = named[0].rpartition(".")
    return table


def _row(row: Row, node: Node) -> str:
    """The row's first columns, and those that the test is about."""
    names = list(row)
    if len(names) > MOST_COLUMNS:
        tested = _tested_columns(node)
        further = [name for name in names[2:] if name in tested]
        names = names[:2] + further
    cells = [f"{name}={_value(row[name])}" for name in names]
    return " ".join(cells)


def _tested_columns(node: Node) -> list[object]:
    """The arguments of the test, among which are its columns."""
    found: list[object] = []
    if node.test_metadata is None:
        return found
    for argument in node.test_metadata.kwargs.values():
        if isinstance(argument, list):
            found += argument
        else:
            found.append(argument)
    return found


def _value(value: object) -> str:
    text = _one_line([str(value)])
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}..."


def _one_line(lines: Collection[str]) -> str:
    words = " ".join(lines).split()
    return " ".join(words)[:LONGEST_REASON]
