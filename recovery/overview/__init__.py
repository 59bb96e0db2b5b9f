"""The list's tables, made from the RT-PACS and the cached tables of the R&V database."""
