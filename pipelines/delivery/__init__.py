"""The weekly digest: what each owner has to do and what the managers should know, by e-mail and chat."""
