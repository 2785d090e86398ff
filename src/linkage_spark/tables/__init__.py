"""What every table is: schema as code, key, meaning of a row. Nothing is computed here."""
