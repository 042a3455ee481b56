"""`python -m bench accel`: engines of cryptography on two cores, and wrong engines found."""
