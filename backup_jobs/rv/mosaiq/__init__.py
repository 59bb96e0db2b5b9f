"""MOSAIQ: its database, made into the relational tables, and treatment records made of them: it serves none."""

from backup_jobs.rv.mosaiq.tables import READINGS
from backup_jobs.rv.product import Product

PRODUCT = Product("mosaiq", "MOSAIQ", READINGS, serves_treatment_records=False)
