"""The emotion classifier: from labelled sentences to the file that is shipped."""
