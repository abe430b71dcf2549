"""Pure: an edition is rendered once for each variant, and prepared to be filled for each reader."""
