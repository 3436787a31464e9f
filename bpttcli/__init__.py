"""See how the gradient of a recurrent network travels back through time."""
