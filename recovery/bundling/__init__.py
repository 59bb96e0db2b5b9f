"""What a department goes on with when every screen is dark: the binder, one PDF to print, and the rescue bundle."""
