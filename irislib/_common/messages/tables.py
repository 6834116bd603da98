"""Texts about tables from which a project is made: why one cannot be read, and what was seen in it and done."""

__all__ = ["NOTES", "OTHER_KINDS", "TEXTS"]

# Why a table cannot be read, and what to do.
TEXTS = {
    "missing": "There is no file {path}. {hint}",
    "folder": "{path} is a folder; give a file in it{files}.",
    "folder.files": ", such as {names}",
    "unreadable": "{path} cannot be read: {error}",
    "url": "{data} is an address. Download the file first, and give its path: the model is trained from a copy.",
    "empty": "{path} is empty. Give a file with a line of names and rows below it.",
    "header_only": "{path} names columns but has no rows below them. Give a file with rows.",
    "one_column": "{path} has one column only, {column!r}: no comma, semicolon, tab or vertical bar separates values. "
    "A model needs columns for its inputs and one for its target.",
    "kind": "{path} is {kind}, which is not read. {advice}",
    "pickle": "{path} is a pickle, which can run any code when it is read, so it is not opened. If you trust it, write "
    'its table to another file: pd.read_pickle("{name}").to_parquet("{stem}.parquet")',
    "binary": "{path} is no table: it is neither text nor Excel, Parquet, Feather or Stata. Save the table as CSV.",
    "encrypted": "{path} is protected with a password. Unpack it first, and give the file in it.",
    "members": "{path} holds {count} files: {names}. Unpack it, and give one of them.",
    "old_excel": "{path} is an Excel file of before 2007, or protected with a password. Save it as .xlsx without a "
    "password, or as CSV.",
    "damaged": "{path} cannot be read as {kind}: {error}",
    "package": "Reading {kind} needs the package {package}: pip install '{requirement}'",
    "quote": "In {path} a quotation mark opens in line {line} and is not closed. Close it, or take it out.",
    "backslashes": "{path} has backslashes before quotation marks, and others, whose meaning is not certain. Write "
    "{sign} within values twice instead, and each backslash as it is meant.",
    "long_row": "Line {line} of {path} has {given} values for {wanted} columns. Put quotation marks around values in "
    "which the separator {sign!r} occurs, or correct the line.",
    "bad_csv": "{path} cannot be read as CSV: {error}",
    "single": "{path} has one column only, {column!r}. A model needs columns for its inputs and one for its target.",
    "nested": "The column {column!r} of {path} holds {kind}; a feature is a number, text, a date, a time or yes or no. "
    "Spread it over columns, or leave it out, and write the table again.",
    "no_sheet": "{path} has no sheet {sheet!r}. {hint}",
    "sheets": "{path} has {count} sheets with tables: {names}. Choose one with --sheet.",
    "only_sheet": "--sheet is for Excel files; {path} is none.",
    "encoding": "{path} is not in UTF-8 and hardly in Windows-1252. Name its encoding with --encoding; its first "
    "word with other letters is {words}.",
    "no_encoding": "There is no encoding {encoding!r} of text. Known ones are cp1250, cp1251, cp932 and gb18030.",
    "not_encoding": "{path} is not in {encoding}: some of its bytes are no text there. Name another one with "
    "--encoding.",
    "only_encoding": "--encoding is for CSV files; {path} is none.",
    "merged": "In the sheet {sheet!r} of {path} the names of columns are in merged cells ({cells}). Write one name "
    "above each column, in one row.",
    "json": "{path} is JSON, but no list of rows such as [{{…}}, {{…}}]: {error}",
    "sql_url": "This is no address of a database. Expected one such as sqlite:///churn.db or "
    "postgresql://user@host/database.",
    "sql": "The query failed: {error}",
    "sql_copy": "{path} cannot be copied: {error}",
    "no_rows": "The query returns no rows. Change it, so that it returns the rows to train with.",
    "needs_sql": "{path} is a database. Give the query with --sql and the database as --data sqlite:///{path}",
    "same_names": "{path} has the column {column!r} more than once. Give each its own name.",
}

# Files that are not read: what they are, and what to do instead.
OTHER_KINDS = {
    "hdf5": ("an HDF5 file", 'Write its table to another one: pd.read_hdf("{name}").to_parquet("{stem}.parquet")'),
    "spss": ("an SPSS file", 'Write it to another one: pd.read_spss("{name}").to_parquet("{stem}.parquet")'),
    "sas": ("a SAS file", 'Write it to another one: pd.read_sas("{name}").to_parquet("{stem}.parquet")'),
    "pdf": ("a PDF file", "Get the table as CSV or Excel."),
    "numpy": ("a NumPy file", "Write its array to CSV, with a name for each column."),
    "r": ("a file of R", 'Write its table to CSV in R: write.csv(data, "{stem}.csv", row.names = FALSE)'),
    "lfs": ("a placeholder of Git LFS, not the file itself", "Fetch it: git lfs pull"),
    "archive": ("an archive", "Unpack it first, and give a file in it."),
    "avro": ("an Avro file", "Save the table as Parquet or CSV."),
    "orc": ("an ORC file", 'Write it to another one: pd.read_orc("{name}").to_parquet("{stem}.parquet")'),
    "image": ("an image", "Give a table."),
    "xlsb": ("a binary Excel file", "Save it as .xlsx or CSV."),
    "document": ("a document of an office program", "Save the table as .xlsx or CSV."),
    "html": ("a web page", "Its address may need a login, or lead to a page about the file. Download the file itself."),
    "xml": ("XML", "Save the table as CSV or Excel."),
    "arff": ("an ARFF file of Weka", "Save the table as CSV."),
}

# What was seen and what was done about it.
NOTES = {
    "delimiter": "{signs} separate the values.",
    "encoding": "The file is in {encoding}{example}.",
    "encoding.example": ', by which it has words such as "{word}"',
    "compression": "The file is compressed ({name}), whatever its name says.",
    "titles": "{count} above the table {are} left out: {first}",
    "quotes": "Single quotation marks are around values.",
    "escapes": "A backslash stands before a quotation mark within a value.",
    "units": "The line below the names has units, such as {unit} of {column}; they are put into the names.",
    "comments": "Lines that begin with # are comments and are left out.",
    "footer": "{count} below the rows {are} left out: {first}",
    "no_header": "No line names the columns; they are called {first} to {last}. Better names can be given with "
    "names=[…].",
    "index": "The first column has no name and a different {kind} in each row: it numbers the rows and is no input.",
    "row_names": "The lines have a value more than there are names: the first names the rows and is no input.",
    "trailing": "Each line ends with a separator; the empty column behind it is left out.",
    "extra": "Some lines have empty values more than there are names; these are left out.",
    "short": "Some lines have fewer values than there are columns, such as line {line}; the others are gaps.",
    "names": "Names of columns have line breaks, or spaces too many, such as {name!r}; they are written with one space "
    "between words.",
    "unnamed": "Columns without a name, at {places}, are called {names}.",
    "empty_columns": "The columns without names and values are left out.",
    "twice": "The column {name!r} is there more than once; {others} are the others.",
    "decimal": "Numbers have decimal commas{grouped}.",
    "decimal.grouped": " and {sign} between thousands",
    "thousands": "Numbers have {sign} between thousands.",
    "either": "{columns}: numbers such as {example} can mean two things; they are read as {meaning}.",
    "gaps": "{markers} {stand} for missing values.",
    "spaces": "Spaces after the separators are left out.",
    "strip": "{columns}: spaces around the texts are left out.",
    "codes": "{columns}: numbers with zeros before them, such as {example}, are codes and stay text.",
    "mixed": "{columns}: numbers and texts are mixed, or too long for numbers; all are read as text.",
    "numbers": "{columns}: texts such as {example} are read as numbers{percent}.",
    "numbers.percent": " (12 % as 12)",
    "dates": "{columns}: days written as {example}.",
    "dates.either": "{columns}: {example} can mean two days; it is read {order} first. If that is wrong, change the "
    "format to {other}.",
    "hours": "{columns}: days with a time of day; the day stays, and the hour is a column of its own, {hours}.",
    "same_hour": "{columns}: days with a time of day, always in the same hour; the day stays.",
    "zone": "{columns}: times of a time zone are read as UTC.",
    "empty_rows": "Rows without any value are left out.",
    "sheet": "The table is in the sheet {sheet!r}.",
    "other_sheets": "The sheet {sheet!r} is read; there are also {names}.",
    "offset": "The table begins in the column {column}; what is left of it is empty.",
    "index_columns": "The index of the table, {names}, is read as columns.",
    "index_left": "The index of the table is left out.",
    "environment": "The address of the database is read from the environment variable {variable}, so that no password "
    "is in the code: export {variable}=…",
    "sqlite": "The database is copied into the project; the query is read from the copy.",
    "large": "The file has {size} MB; it is read where it is, {path}, and not copied.",
}
