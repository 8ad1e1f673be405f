"""Reports of visits: the content as plain data, and its PDF."""
