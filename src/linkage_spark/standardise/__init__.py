"""A force's raw feeds -> the canonical tables: names, dates, addresses, roles; refused rows with a reason."""
