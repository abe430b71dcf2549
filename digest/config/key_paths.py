"""The schema, walked: which keys a table has, and what is expected at a path."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from digest.config.field_types import FieldDescription, Secret
from digest.config.schema import File

#: The way to a value: keys of tables and positions in lists, as in ("sources", 0, "path").
Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """The path as it is written in messages: `sources[0].path`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            # A strange key is shown in quotes, escaped, as TOML wants it.
            plain = step.replace("-", "").replace("_", "").isalnum() and step.isascii()
            text += ("." if text else "") + (step if plain else ascii(step))
    return text


def bare(annotation: Any) -> Any:
    """A type without its marks, and without None."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return bare(next(part for part in get_args(annotation) if part is not NoneType))
    return annotation


def marks(annotation: Any) -> list[Any]:
    """Everything that a type is annotated with, inside `… | None` too; outer marks first."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return own + marks(inner)
    if get_origin(annotation) in (Union, UnionType):
        return [mark for part in get_args(annotation) for mark in marks(part)]
    return []


def keys(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a table as digest.toml spells them."""
    return {field.alias or name: field for name, field in table.model_fields.items()}


def annotation_of(field: FieldInfo) -> Any:
    """The type of a key, with its marks."""
    if not field.metadata:
        return field.annotation
    return Annotated[(field.annotation, *field.metadata)]


def is_table(annotation: Any) -> bool:
    """Whether a table of known keys stands there."""
    kind = bare(annotation)
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def below(annotation: Any, step: str | int) -> Any:
    """The type one step further down, or None where the schema has nothing."""
    kind = bare(annotation)
    if is_table(kind):
        field = keys(kind).get(str(step))
        return annotation_of(field) if field else None
    parts = get_args(kind)
    return parts[-1] if get_origin(kind) in (dict, list) else None


def at(path: Path) -> Any:
    """The type that stands at a path, or None where the schema has nothing."""
    here: Any = File
    for step in path:
        here = below(here, step)
        if here is None:
            return None
    return here


def words(annotation: Any) -> str:
    """What is expected there, in plain words."""
    for mark in marks(annotation):
        if isinstance(mark, FieldDescription):
            return mark.text
    if is_table(annotation):
        return "a table"
    return "a list" if get_origin(bare(annotation)) is list else "another value"


def is_secret(path: Path) -> bool:
    """Whether the value at a path must never be shown."""
    return any(isinstance(mark, Secret) for mark in marks(at(path)))
