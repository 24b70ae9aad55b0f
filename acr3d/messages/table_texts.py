"""Why a table cannot be imported: what is wrong, that no part was changed, what to do next."""

from __future__ import annotations

from acr3d.messages.marker import N_

TABLE_TEXTS = {
    "table.empty": N_("The file has no rows, so there is nothing to import. Choose another file."),
    "table.file_too_large": N_(
        "The file has %(megabytes)s MB, more than the %(most)s MB allowed. Nothing was imported. Split it "
        "into several files."
    ),
    "table.unpacks_too_large": N_(
        "Unpacked, the file has more than %(megabytes)s MB. Nothing was imported. Save the sheet alone as "
        "CSV and import that."
    ),
    "table.too_many_rows": N_(
        "The table has more than %(most)s rows. Nothing was imported. Split it into several files."
    ),
    "table.too_many_columns": N_(
        "Row %(row)s has more than %(most)s columns. Nothing was imported. Remove the columns that are not "
        "needed, or check the delimiter."
    ),
    "table.cell_too_long": N_(
        "Row %(row)s has a cell of more than %(most)s characters. Nothing was imported. If a quotation mark "
        "is missing in that row, add it."
    ),
    "table.broken_row": N_(
        "Row %(row)s cannot be read: it may lack a closing quotation mark, or have a very long cell. "
        "Nothing was imported. Correct that row and import the file again."
    ),
    "table.broken_line": N_(
        "Line %(row)s is not a JSON object. Nothing was imported. Correct that line and import the file "
        "again."
    ),
    "table.wrong_encoding": N_(
        "The file is not text in the encoding %(encoding)s. Nothing was imported. Choose another encoding, "
        "or save the table as CSV (UTF-8)."
    ),
    "table.not_text": N_(
        "Row %(row)s holds a NUL byte, which no text has: the file is damaged or no table. Nothing was "
        "imported. Save the table again as CSV (UTF-8)."
    ),
    "table.damaged_workbook": N_(
        "The spreadsheet cannot be opened: it is damaged, protected with a password, or another kind of "
        "file. Nothing was imported. Save it again as XLSX without a password, or as CSV."
    ),
    "table.too_costly": N_(
        "Reading the file takes more memory or time than is allowed. Nothing was imported. Save the sheet "
        "alone as CSV and import that."
    ),
}
