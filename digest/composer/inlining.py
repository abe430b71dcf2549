"""CSS into style attributes, since many mail programs drop what a `<style>` element says.

The only module that knows premailer, so that it can be replaced. A `<style>` element is inlined and
goes; what cannot be inlined (`@media`, `:hover`) stays. One with `data-premailer="ignore"` stays as
it is, `!important` and all: that is where dark mode lives.
"""

import logging
import re

# premailer would repeat CSS as old attributes (`width:auto` as width="auto"). The templates write
# the attributes that Outlook wants themselves.
_NO_ATTRIBUTES = ["align", "valign", "bgcolor", "width", "height"]

# Indentation is a quarter of a template's bytes, and every byte counts towards Gmail's limit.
_INDENTATION = re.compile(r"\n[ \t\r\n]+")
# Inside of a tag only: a headline that looks like a style attribute has its `<` escaped.
_STYLE = re.compile(r"""(<[a-z][^<>]* style=)("[^"]*"|'[^']*')""")


def inline(html: str) -> str:
    """The page with its CSS in style attributes. It must begin with exactly `<!DOCTYPE html>`."""
    # Loaded here: whoever resumes an edition inlines nothing, and need not wait for it.
    from premailer import Premailer  # type: ignore[import-untyped]  # it has no types

    inlined: str = Premailer(
        html,
        keep_style_tags=False,
        strip_important=False,
        allow_network=False,
        disable_validation=True,
        disable_basic_attributes=_NO_ATTRIBUTES,
        align_floating_images=False,
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    shorter = _STYLE.sub(lambda tag: tag[1] + re.sub(r"(?<=[;:,]) ", "", tag[2]), inlined)
    return _INDENTATION.sub("\n", shorter).strip() + "\n"
