"""What several packages use: the cells of a notebook, encoded names, data that does not change, units."""
