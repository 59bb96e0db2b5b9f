"""The recovery drill: what was made from the RT-PACS alone, held against the live tables, and the report of it."""
