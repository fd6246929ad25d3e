"""``python -m service``: the command line without the installed script."""

from service.cli.main_command import main

main()
