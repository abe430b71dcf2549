"""The templates: where they are found, how they run, and the error for one that is wrong.

A site overrides one file by placing its own of the same name in `templates/email/` beside its
digest.toml. The only module that knows jinja2.
"""

import re
import textwrap
import traceback
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplatesNotFound,
    TemplateSyntaxError,
    UndefinedError,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

import digest
from digest.composer.language import Language, available_languages, open_language
from digest.composer.personalization import AnswerNeeded, PlaceholderMisused, ReaderValue
from digest.errors import DigestError, TemplateError
from digest.lib.text import nearest

_T = TypeVar("_T")

#: Columns of the text part.
TEXT_WIDTH: Final = 72

_PRINT_HINT: Final = "Print it as it is, or take the condition out."


def wrapped(text: object, prefix: str = "", indent: str = "") -> str:
    """A paragraph in lines of at most TEXT_WIDTH; no word is broken, however long."""
    return textwrap.fill(
        str(text),
        width=TEXT_WIDTH,
        initial_indent=prefix or indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def together(text: object) -> str:
    """A phrase that no line break parts, such as `11 March`."""
    return str(text).replace(" ", "\N{NO-BREAK SPACE}")


class _NoSuchName(UndefinedError):
    """A value has nothing of this name."""

    def __init__(self, message: str | None = None, *, owner: object, name: str) -> None:
        super().__init__(message)
        self.owner = owner
        self.name = name


class _Missing(StrictUndefined):
    """What a template finds where there is nothing: an error, which knows what was looked at."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        raised: Any = exc
        if obj is not missing and name is not None and exc is UndefinedError:
            raised = partial(_NoSuchName, owner=obj, name=str(name))
        super().__init__(hint, obj, name, raised)


def _environment(loader: FileSystemLoader | None) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=select_autoescape(("html",), default_for_string=False),
        undefined=_Missing,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"together": together, "wrapped": wrapped}
    return environment


def _finalize(value: object) -> object:
    return value.print() if isinstance(value, ReaderValue) else value


class Templates:
    """The templates of one site over ours. Open them once: compiled templates are kept."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders
        self._environment = _environment(FileSystemLoader(folders))
        self._languages: dict[str, Language] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are words for."""
        return available_languages(self.folders)

    def language(self, code: str) -> Language:
        """A language with the site's words over ours. Raises ConfigError."""
        if code not in self._languages:
            self._languages[code] = open_language(code, self.folders)
        return self._languages[code]

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """The template `name` with what it may use. Raises TemplateError with file and line.

        Raises AnswerNeeded where it decides by what the reader in `context` does not tell.
        """
        return _reported(
            lambda: self._environment.get_template(name).render(context),
            fallback=name,
            files=self.folders,
            known=context,
        )

    def check(self) -> None:
        """Parse every template that is there. Raises TemplateError for the first that does not."""
        for name in self._environment.list_templates(extensions=["html", "txt"]):
            _reported(
                partial(self._environment.get_template, name),
                fallback=name,
                files=self.folders,
                known={},
            )


def open_templates(site_folder: Path | None = None) -> Templates:
    """The templates of a site, whose folder is the one with digest.toml; None is ours alone."""
    own = None if site_folder is None else site_folder / "templates" / "email"
    return Templates((own, _shipped()) if own and own.is_dir() else (_shipped(),))


@cache
def _shipped() -> Path:
    """Inside the package where it was installed from a wheel, else the checkout's own folder."""
    package = Path(digest.__file__).parent
    for root in (package, package.parent):
        folder = root / "templates" / "email"
        if (folder / "layout.html").is_file():
            return folder
    raise TemplateError(
        f"the templates are missing from the installation in {package}",
        hint="Install digest again.",
    )


def render_line(source: str, context: Mapping[str, Any], *, name: str) -> str:
    """A template given as text, without autoescape. Errors call it by `name`."""
    return _reported(
        lambda: _environment(None).from_string(source).render(context),
        fallback=name,
        files=(),
        known=context,
        source=source,
    )


def _reported(
    run: Callable[[], _T],
    *,
    fallback: str,
    files: tuple[Path, ...],
    known: Mapping[str, Any],
    source: str = "",
) -> _T:
    try:
        return run()
    except DigestError:
        raise
    except AnswerNeeded as needed:
        needed.place = _place(needed, files) or fallback
        raise
    except Exception as error:  # a template is a program of the site's: it can raise anything
        place = _place(error, files) or fallback
        frame = _frame(error, files)
        meaning = _meaning(error, (frame.line if frame else source) or "")
        raise TemplateError(f"{place}: {meaning}", hint=_hint(error, known)) from error


def _place(error: Exception, folders: tuple[Path, ...]) -> str | None:
    """File and line of the innermost template that was at work."""
    if isinstance(error, TemplateSyntaxError):
        file = error.filename or error.name
        return f"{file}, line {error.lineno}" if file else None
    frame = _frame(error, folders)
    return f"{frame.filename}, line {frame.lineno}" if frame else None


def _frame(error: Exception, folders: tuple[Path, ...]) -> traceback.FrameSummary | None:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).is_relative_to(folder) for folder in folders):
            return frame
    return None


def _meaning(error: Exception, written: str) -> str:
    if isinstance(error, _NoSuchName):
        # What the author calls the value says more than what it is inside of us.
        owner = re.search(rf"(\w[\w.]*)\s*(?:\.\s*|\[['\"]){re.escape(error.name)}\b", written)
        return f"{owner[1] if owner else 'this value'} has no `{error.name}`"
    if isinstance(error, TemplatesNotFound):
        return f"none of these templates exists: {', '.join(map(str, error.templates))}"
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name!r}"
    if isinstance(error, (TemplateSyntaxError, UndefinedError, PlaceholderMisused)):
        return error.message if hasattr(error, "message") and error.message else str(error)
    if isinstance(error, LookupError) and error.args:
        return str(error.args[0])
    return f"{error} ({type(error).__name__})"


def _hint(error: Exception, known: Mapping[str, Any]) -> str | None:
    if isinstance(error, PlaceholderMisused):
        return _PRINT_HINT
    if isinstance(error, _NoSuchName):
        return _advice(error.name, _names_in(error.owner))
    unknown = re.match(r"'(\w+)' is undefined", str(error))
    if not (isinstance(error, UndefinedError) and unknown):
        return None
    return _advice(unknown[1], list(known))


def _names_in(value: object) -> list[str]:
    """What a template can find in a value."""
    if isinstance(value, Mapping):
        return [str(name) for name in value]
    return [name for name in dir(value) if not name.startswith("_")]


def _advice(name: str, known: list[str]) -> str | None:
    if near := nearest(name, known):
        return f"Did you mean {near}?"
    return f"There are: {', '.join(sorted(known))}." if 0 < len(known) <= 20 else None
