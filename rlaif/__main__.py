"""`python -m rlaif`."""

from rlaif.cli.main import entry

if __name__ == "__main__":
    entry()
