"""redact: personal data taken out."""
