"""Pure: an edition -> variants, each rendered once -> a message form, filled for each reader."""
