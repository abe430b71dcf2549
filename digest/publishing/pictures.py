"""Pictures that travel along with an edition: kept with it, frozen like its words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.composer.images import content_id, travels_along
from digest.config import Settings
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter
from digest.storage import editions
from digest.storage.database import Database


def pictures_of(
    edition: Edition,
    variants: tuple[RenderedVariant, ...],
    settings: Settings,
    newsletter: Newsletter,
) -> Mapping[str, bytes]:
    """The images that the variants show by Content-ID, by their paths in the site's folder."""
    paths = {s.image_url for s in edition.stories if s.image_url and travels_along(s.image_url)}
    return {
        path: (settings.folder / path).read_bytes()
        for path in sorted(paths)
        if any(f"cid:{content_id(path, newsletter)}" in variant.html for variant in variants)
    }


@contextmanager
def stored_pictures(db: Database, edition: Edition) -> Iterator[Path]:
    """A folder with the images that were stored with an edition, for as long as the block."""
    with TemporaryDirectory(prefix="digest-") as name:
        folder = Path(name)
        for path, data in editions.images(db, edition.stored_id).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        yield folder
