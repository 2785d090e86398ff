"""What is known beforehand of names, titles, placeholders, postcodes and streets. Data, no decisions."""
