"""Parameters in and out: initialisation and files."""
