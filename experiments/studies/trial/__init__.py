"""Virtual trials: a cohort of patients, every patient in every arm, judged as a clinic would."""
