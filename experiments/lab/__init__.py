"""The browser lab behind its page: patient, two futures of one tumour, what is seen of them; plain Python."""
