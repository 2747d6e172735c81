"""What dbt writes down of a build: how each model and test ended, and how they are declared."""

from pathlib import Path

from pydantic import BaseModel, ValidationError


class Result(BaseModel):
    """How one model or test ended."""

    unique_id: str
    status: str
    message: str | None = None
    # rows that a test found, and the query that finds them
    failures: int | None = None
    compiled_code: str | None = None


class Meta(BaseModel):
    """What the project itself notes of a test."""

    what_to_do: str | None = None


class Config(BaseModel):
    """The configuration of a model or test."""

    meta: Meta = Meta()


class Template(BaseModel):
    """The generic test that a test is made from, with its arguments."""

    name: str
    kwargs: dict[str, object] = {}


class Needs(BaseModel):
    """The models and sources that a model or test reads."""

    nodes: list[str] = []


class Node(BaseModel):
    """A model or test as it is declared."""

    name: str
    resource_type: str
    original_file_path: str = ""
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: Template | None = None
    config: Config = Config()
    depends_on: Needs = Needs()


class Source(BaseModel):
    """A table that the models are built from."""

    name: str
    columns: dict[str, object] = {}


class Manifest(BaseModel):
    """The project as dbt has read it."""

    nodes: dict[str, Node] = {}
    sources: dict[str, Source] = {}


class Results(BaseModel):
    """The end of each model and test, in the order in which they ended."""

    results: list[Result] = []


def delete_results(target: Path) -> None:
    """Delete what a former build wrote, so that it does not pass for the next one's."""
    (target / "run_results.json").unlink(missing_ok=True)


def read_results(target: Path) -> list[Result]:
    """The results that are in dbt's target folder, or None if dbt ended before it wrote any."""
    return _read(target / "run_results.json", Results).results


def read_manifest(target: Path) -> Manifest:
    """The project that is in dbt's target folder. Empty if dbt could not read its own."""
    return _read(target / "manifest.json", Manifest)


def _read[T: BaseModel](file: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return kind()
