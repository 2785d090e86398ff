"""Which level each attribute of a pair reaches. One module per attribute, functions named for their claim."""
