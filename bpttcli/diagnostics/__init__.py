"""What is reported: each diagnostic returns one frozen result object."""
