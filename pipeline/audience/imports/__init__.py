"""Lists of readers in files: read with flat memory, taken in once, written out safely.

In: CSV, TSV and XLSX files, and what listmonk, Mailchimp, Ghost and MailPoet export; a topic.
Out: readers who follow it, a reason for every row that was refused; a CSV file no spreadsheet runs.
Owns: Import, ImportFault.
Never: brings back who left or is suppressed, takes a row of somebody who left elsewhere for a reader.
Promise: killed at any row and started again, nobody is lost and nobody is entered twice.
"""
