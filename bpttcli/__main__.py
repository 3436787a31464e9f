"""``python -m bpttcli`` is ``bptt``."""

from bpttcli.cli.main import run

if __name__ == "__main__":
    run()
