"""How a learner's code is called, compared and answered."""
