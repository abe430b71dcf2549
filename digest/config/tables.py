"""From the raw tables to checked ones, with every problem at once.

Each value is checked by its field type, each whole table by its cross-checks. A key that is wrong
by itself hides no other: its field stays unset, and a cross-check that asks for it ends there.
"""

from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_args

from digest.config import key_paths, problems
from digest.config.cross_checks import CROSS_CHECKS
from digest.config.schema import File
from digest.config.validators import InvalidValue
from digest.errors import Problem

_WRONG: Final[Any] = object()

#: What TOML holds for the types that it has besides texts.
_IN_TOML: Final[dict[Any, tuple[type, ...]]] = {int: (int,), float: (int, float), bool: (bool,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTables:
    """The tables. With problems, some fields are unset: read them by `getattr` with a default."""

    file: File
    problems: tuple[Problem, ...]


def check_tables(raw: dict[str, Any], folder: Path, origins: key_paths.Origins) -> CheckedTables:
    """The tables of a configuration whose relative paths start at this folder."""
    checker = _Checker(folder=folder, origins=origins)
    file: File = checker.table(File, raw, ())
    return CheckedTables(file=file, problems=tuple(checker.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checker:
    folder: Path
    origins: key_paths.Origins
    problems: list[Problem] = field(default_factory=list)

    def table(self, kind: Any, raw: dict[str, Any], path: key_paths.Path) -> Any:
        """The table with all values that are right."""
        known = key_paths.keys(kind)
        values: dict[str, Any] = {}
        for key, entry in known.items():
            where = (*path, key)
            if key in raw:
                values[entry.name] = self._value(entry.type, raw[key], where)
            elif key_paths.is_required(entry):
                values[entry.name] = _WRONG
                variable = key_paths.origin_of(where, self.origins)
                self.problems.append(problems.missing(where, entry.type, variable))
        self.problems.extend(
            problems.unknown((*path, key), list(known)) for key in raw if key not in known
        )
        table = _build(kind, values)
        self._cross_check(table, raw, path)
        return table

    def _value(self, annotation: Any, raw: Any, path: key_paths.Path) -> Any:
        """The value as the program uses it, or _WRONG."""
        raw = key_paths.expanded(annotation, raw)
        try:
            value = self._by_itself(annotation, raw)
        except ValueError as error:
            reason = error if isinstance(error, InvalidValue) else InvalidValue()
            variable = key_paths.origin_of(path, self.origins)
            self.problems.append(problems.invalid(path, raw, annotation, reason, variable))
            return _WRONG
        kind = key_paths.bare(annotation)
        if key_paths.is_table(kind):
            return self.table(kind, raw, path)
        if key_paths.is_list(kind):
            return self._items(get_args(kind)[0], raw, path)
        return self._tables_by_key(kind, raw, path) if key_paths.is_dict(kind) else value

    def _by_itself(self, annotation: Any, raw: Any) -> Any:
        kind, field_type = key_paths.bare(annotation), key_paths.field_type(annotation)
        if key_paths.is_list(kind):
            accepts: tuple[type, ...] = (list,)
        elif key_paths.is_table(kind) or key_paths.is_dict(kind):
            accepts = (dict,)
        else:
            accepts = field_type.accepts or _IN_TOML.get(kind, (str,))
        if not isinstance(raw, accepts) or (isinstance(raw, bool) and kind is not bool):
            raise InvalidValue
        if field_type.check is None:
            return raw
        return field_type.check(raw, self.folder) if field_type.in_folder else field_type.check(raw)

    def _items(self, annotation: Any, raw: list[Any], path: key_paths.Path) -> Any:
        items = [self._value(annotation, item, (*path, at)) for at, item in enumerate(raw)]
        if key_paths.is_table(annotation):
            # What is no table keeps its place: problems count the tables as the file does.
            blank = object.__new__(key_paths.bare(annotation))
            return tuple(blank if item is _WRONG else item for item in items)
        return _WRONG if any(item is _WRONG for item in items) else tuple(items)

    def _tables_by_key(self, kind: Any, raw: dict[str, Any], path: key_paths.Path) -> Any:
        key_type, table_type = get_args(kind)
        tables: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in raw.items():
            where = (*path, key)
            table = self._value(table_type, value, where)
            try:
                name = self._by_itself(key_type, key)
            except ValueError:
                self._add(where, "this key", key_paths.field_type(key_type).words)
                continue
            first = spelled.setdefault(name, key)
            if first != key:
                same = key_paths.dotted((*path, first))
                self._add(where, f"another spelling of {same}", "each key once")
            elif table is not _WRONG:
                tables[name] = table
        return tables

    def _cross_check(self, table: Any, raw: dict[str, Any], path: key_paths.Path) -> None:
        for check in CROSS_CHECKS.get(type(table), ()):
            try:
                for problem in check(table, raw):
                    self._add((*path, *problem.path), problem.found, problem.expected)
            except AttributeError as error:
                # A field that is not set is wrong by itself; any other name would be our mistake.
                if not hasattr(type(error.obj), error.name or ""):
                    raise

    def _add(self, path: key_paths.Path, found: str, expected: str) -> None:
        """Add a problem between keys, where the key has no problem of its own."""
        problem = Problem(path=key_paths.dotted(path), found=found, expected=expected)
        if all(problem.path != known.path for known in self.problems):
            self.problems.append(problem)


def _build(kind: Any, values: dict[str, Any]) -> Any:
    """The table of these values, unset where they are wrong."""
    if all(value is not _WRONG for value in values.values()):
        return kind(**values)
    table = object.__new__(kind)
    for entry in fields(kind):
        usual = entry.default if entry.default_factory is MISSING else entry.default_factory()
        value = values.get(entry.name, usual)
        if value is not _WRONG and value is not MISSING:
            object.__setattr__(table, entry.name, value)
    return table
