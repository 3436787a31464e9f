"""Training: optimisers, the loop, what is watched meanwhile, and its checkpoints."""
