"""measure: accuracy, demand, KPIs."""
