"""Making the models that are shipped. Needs the `train` extra; the program itself never does."""
