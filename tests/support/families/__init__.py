"""A tiny checkpoint of every family of local models, each by its own file's ``build``."""
