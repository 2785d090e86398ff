"""A force's estate with known truth: people, households, histories, recording errors. All made up."""
