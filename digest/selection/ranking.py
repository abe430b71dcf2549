"""Which article comes before which."""

from digest.model.article import Article


def rank(article: Article) -> tuple[bool, int, float, int]:
    """The order within a page, smallest first: pinned, priority, recency, the source's own order.

    Ids grow in the order of reading. Articles of one time, as from a source that gives only dates,
    therefore keep the order in which their source listed them.
    """
    return (
        not article.pinned,
        -article.priority,
        -article.published_at.timestamp(),
        article.id,
    )


def lead_rank(article: Article) -> tuple[bool, int, int, float, int]:
    """The order of fitness to lead: the editor's word first, then a story that has all it needs.

    A lead is shown with image and deck; between equals, one that has them serves the reader better
    than one that is a few minutes younger.
    """
    pinned, priority, recency, id_ = rank(article)
    missing = 0 if article.summary and article.image_url else 1 if article.summary else 2
    return (pinned, priority, missing, recency, id_)
