"""A file per page; `routes` lists them."""
