"""The rows of the list `on_treatment`, and what a second source, the clock and the clinic say of them. Pure."""
