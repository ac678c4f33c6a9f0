"""The page of the browser lab: solara components over `experiments.lab`; one session per visitor."""
