"""What people decide about gaps, and what a gap is from run to run."""
