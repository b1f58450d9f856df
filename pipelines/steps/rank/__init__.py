"""rank: gaps in order, with owners and evidence."""
