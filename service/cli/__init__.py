"""``shouyuan``: one file a command group, named as the command. (More than fifteen files, as there are as many commands.)"""
