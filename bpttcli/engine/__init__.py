"""Arrays in, arrays out: cells, losses, the forward unroll, the backward sweep."""
