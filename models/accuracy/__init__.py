"""How often answers are right, from few and biased tags, and the KPIs."""
