"""Tables that people bring (CSV, XLSX, ODS) become rows of cells, in a child process."""
