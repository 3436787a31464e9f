"""A result object as table, JSON, CSV, Markdown: many renderers, none of which computes."""
