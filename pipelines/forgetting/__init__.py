"""Conversations that have to be forgotten: removed everywhere, kept out from then on, and proven to be gone."""
