"""The small newsletter as a fixture."""

from tests.publishing.paper import paper

__all__ = ["paper"]
