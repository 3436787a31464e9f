"""Estimators of the gradient: what is cut from it, at random or not, and clipping."""
