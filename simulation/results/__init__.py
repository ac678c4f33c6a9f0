"""What a run gives: time series, measures, snapshots, and the files that hold them."""
