"""Data contracts: what every table that goes in or out must look like, as data, with severities."""
