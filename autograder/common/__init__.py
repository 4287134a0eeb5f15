"""Code that several packages use: the cells of a notebook, encoded names, immutable data, units."""
