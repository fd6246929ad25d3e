"""``python -m service``: the command line without the installed script."""

from service.cli import main

main()
