"""Where sequences come from: generated tasks, text, arrays, a time series."""
