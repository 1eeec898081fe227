"""Records as tables and figures; notebooks show tables as `page_tables` says."""

from mer_companion.analysis import page_tables as page_tables
