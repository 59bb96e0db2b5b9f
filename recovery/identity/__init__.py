"""Who a patient is: IDs that are one patient, and patients who could be taken for one another. Pure."""
