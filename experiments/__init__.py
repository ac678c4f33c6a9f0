"""Studies of the simulation: scenarios, runs on disk, the ``tumorlab`` command. Imports simulation, never reversed."""
