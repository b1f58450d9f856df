"""The contracts themselves, one TOML file a table; `data_contracts.casts.cast` explains the types of columns."""
