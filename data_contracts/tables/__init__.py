"""The contracts themselves, one TOML file a table; the types of columns are explained at `data_contracts.casts.cast`."""
