"""Images that travel along."""

from pathlib import Path

import pytest

from digest.composer.images import MOST, content_id, open_image, travels_along
from digest.errors import TemplateError
from tests.composer.editions import GIF, NEWSLETTER


def test_a_path_travels_and_an_address_does_not() -> None:
    assert travels_along("images/a.jpg")
    assert not travels_along("https://example.com/a.jpg")
    assert not travels_along("//example.com/a.jpg")
    assert not travels_along("data:image/gif;base64,R0lGOD")


def test_an_image_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(GIF)
    image = open_image("a.jpg", NEWSLETTER, tmp_path)
    assert (image.subtype, image.data) == ("gif", GIF)
    assert image.content_id == content_id("a.jpg", NEWSLETTER)
    assert image.content_id.endswith("@news.example.com")
    assert image.filename.endswith(".gif")


@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        (b"<svg/>", "expected a JPEG, PNG or GIF"),
        (b"", "expected a JPEG, PNG or GIF"),
        (GIF + bytes(MOST), "larger than 1,000,000 bytes"),
    ],
)
def test_what_mail_clients_do_not_show_is_refused(
    tmp_path: Path, content: bytes, meaning: str
) -> None:
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(TemplateError, match=meaning):
        open_image("a.gif", NEWSLETTER, tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret.gif").write_bytes(GIF)
    (tmp_path / "site" / "a.gif").symlink_to(tmp_path / "secret.gif")
    with pytest.raises(TemplateError, match="expected a file inside"):
        open_image("a.gif", NEWSLETTER, tmp_path / "site")
