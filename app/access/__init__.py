"""Who is at the screen: sign-in, sitting, proxy, audit."""
