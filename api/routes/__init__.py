"""The routes, one file a subject, for programs and for pages. (More than fifteen files, as there are as many subjects.)"""
