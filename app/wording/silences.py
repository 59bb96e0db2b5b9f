"""What does not answer, by the fault that a job names, and what mends it: the beginning of the banner's strip."""

from collections.abc import Mapping

SILENT: Mapping[str, str] = {
    "both": "The R&V system and its database have not answered",
    "rv": "The R&V system has not answered",
    "pacs": "The RT-PACS has not answered",
    "database": "The R&V system's database has not answered",
    "cache": "The cache could not be written",
    "config": "The jobs could not use their config",
}
REMEDY: Mapping[str, str] = {
    "cache": " Check free space and rights of the cache's folder.",
    "config": " Run `python -m backup_jobs check`; it names every mistake.",
}
