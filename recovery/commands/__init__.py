"""What people run by hand: chart, audit, user, rebuild."""
