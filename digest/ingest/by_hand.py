"""An article that the editor writes down, by the same rules as one that a source tells."""

from collections.abc import Mapping

from digest.config import SourceKind, SourceSettings
from digest.ingest.article import from_row
from digest.ingest.identity import identified
from digest.ingest.reading import Field, Rejected, Row
from digest.model.article import NewArticle
from digest.model.newsletter import Site


def article_by_hand(fields: Mapping[Field, str], site: Site) -> NewArticle | Rejected:
    """The article, or why it is none. Without a publisher it is from the site itself."""
    # The editor is a source of the site's own: local images are allowed, and times are local.
    editor = SourceSettings(
        name=site.name, kind=SourceKind.CSV, location="", timezone=site.timezone
    )
    article = from_row(Row(place="", fields=fields), editor, None)
    return article if isinstance(article, Rejected) else identified([article], site.name)[0]
