"""Small pure helpers without a layer, each named by its subject."""
