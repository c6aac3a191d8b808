// Only the owner of the precompiled headers of all unit tests.
