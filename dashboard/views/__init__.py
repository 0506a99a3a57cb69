"""One module per page, and what every page shares."""
