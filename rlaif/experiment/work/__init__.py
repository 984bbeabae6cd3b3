"""How each stage is done: one file a stage, each with one function `work(run, folder)`."""
