"""Says in one line what failed in a dbt build: the model or test, the rows, and what to do."""

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

# what DuckDB says, and what to do then
WHAT_TO_DO = {
    "Out of Memory": "set DUCKDB_MEMORY_LIMIT higher, or give the machine more memory",
    "No space left": "make room on the disk",
}


def describe(
    results: Collection[Result], manifest: Manifest, statuses: Collection[str], rows: Rows
) -> list[str]:
    """One line for each result of these statuses; `rows` finds a few rows of a query."""
    lines = []
    for result in results:
        if result.status in statuses:
            node = manifest.nodes.get(result.unique_id) or _undeclared(result)
            has_rows = result.failures is not None and result.status != "error"
            lines.append(_of_rows(result, node, rows) if has_rows else _of_error(result, node))
    return lines


def lacking_columns(manifest: Manifest, table: str, declared: Collection[str]) -> list[str]:
    """The columns of the raw table that the models read and that are not declared."""
    needed = [source.columns for source in manifest.sources.values() if source.name == table]
    return [column for columns in needed for column in columns if column not in declared]


def _undeclared(result: Result) -> Node:
    """A node that the manifest does not have: its kind and name are in its id."""
    kind, _, name = result.unique_id.partition(".")
    return Node(name=name, resource_type=kind)


def _of_rows(result: Result, node: Node, rows: Rows) -> str:
    """A test that found rows."""
    count = result.failures or 0
    found = rows(result.compiled_code) if result.compiled_code else []
    shown = [_row(row, node) for row in found[:MOST_ROWS]]
    if shown and count > len(shown):
        shown.append(f"and {count - len(shown)} more")
    subject = f"{_label(node)} found {count} {'row' if count == 1 else 'rows'}"
    advice = node.config.meta.what_to_do or "undo what was changed in dbt, or report it"
    return f"{subject}{': ' if shown else ''}{', '.join(shown)}; {advice}"


def _of_error(result: Result, node: Node) -> str:
    """A model that could not be built, or a test that could not be asked."""
    lines = (result.message or "no reason given").splitlines()
    # the first line repeats the name where the others give the reason
    reason = _one_line(lines[1:] if len(lines) > 1 else lines)
    hints = [advice for said, advice in WHAT_TO_DO.items() if said in reason]
    file = f"dbt/{node.original_file_path}" if node.original_file_path else "dbt"
    advice = hints[0] if hints else f"correct {file}, or report it if it is as it came"
    return f"{_label(node)} failed: {reason}; {advice}"


def _label(node: Node) -> str:
    if node.test_metadata is None:
        return f"{node.resource_type} {node.name}"
    tables = [node.attached_node, *node.depends_on.nodes]
    table = next(filter(None, tables), "").rpartition(".")[2]
    column = f".{node.column_name}" if node.column_name else ""
    of = f" of {table}{column}" if table else ""
    return f"{node.resource_type} {node.test_metadata.name}{of}"


def _row(row: Row, node: Node) -> str:
    """The row's first columns, and those that the test is about."""
    named = set()
    for argument in node.test_metadata.kwargs.values() if node.test_metadata else ():
        named.update(argument if isinstance(argument, list) else [argument])
    names = list(row)
    if len(names) > MOST_COLUMNS:
        names = [name for place, name in enumerate(names) if place < 2 or name in named]
    return " ".join(f"{name}={_value(row[name])}" for name in names)


def _value(value: object) -> str:
    text = _one_line([str(value)])
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _one_line(lines: Collection[str]) -> str:
    return " ".join(" ".join(lines).split())[:LONGEST_REASON]
