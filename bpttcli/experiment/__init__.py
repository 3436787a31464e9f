"""YAML ⇄ one validated, frozen Experiment: read, checked, and every key's origin kept."""
