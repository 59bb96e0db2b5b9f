"""The clinic that does not exist: patients, anatomy, plans, deliveries."""
