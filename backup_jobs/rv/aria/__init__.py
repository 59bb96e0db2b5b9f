"""ARIA: its database, made into the relational tables; its treatment records come by DICOM."""

from backup_jobs.rv.aria.tables import READINGS
from backup_jobs.rv.product import Product

PRODUCT = Product("aria", "ARIA", READINGS, serves_treatment_records=True)
