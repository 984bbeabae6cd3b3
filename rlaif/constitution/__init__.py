"""What to judge by: principles as data, checked and compared as source code is."""
