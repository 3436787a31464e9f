"""The command line: options → experiment → diagnostics → report."""
