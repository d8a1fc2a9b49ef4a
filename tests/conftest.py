from hypothesis import settings

settings.register_profile("project", deadline=None, print_blob=True)  # a busy machine is not a failure
settings.load_profile("project")
