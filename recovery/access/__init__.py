"""Who may do what, and who did: accounts, failed sign-ins, permissions, audit."""
